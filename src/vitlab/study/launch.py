"""Running a study: what is missing is trained, what is finished is left alone, what fails is recorded.

run_study(study, folder)     -> the outcome, also in study.json
"""

from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from vitlab.base.errors import UserError
from vitlab.study.choosing import Asked, choose_ways
from vitlab.study.crew import LOG, Crew, Worker, answered, crew
from vitlab.study.folder import StudyFolder
from vitlab.study.outcome import Outcome, write_outcome
from vitlab.study.plan import plan
from vitlab.study.progress import StudyProgress
from vitlab.study.spec import StudySpec
from vitlab.study.tasks import Task, Tasks
from vitlab.train.choices import Wishes
from vitlab.train.interrupt import Interrupted, Request, listening

LOOK_EVERY = 0.2  # seconds between looks at the signals


def run_study(
    study: StudySpec,
    out: Path,
    *,
    jobs: int | None = None,
    stack: bool | None = None,
    wishes: Wishes = Wishes(),
    retry: bool = False,
    console: Console | None = None,
) -> Outcome:
    """Train what the study in `out` lacks, and write what it says.

    `jobs` processes at once, `stack` runs in one or never: both are chosen by measuring if left open.
    `retry`: failed runs are tried again. Raises UserError for what a user can mend, Interrupted after a signal.
    """
    console = console or Console(quiet=True)
    planned, folder = plan(study), StudyFolder(out)
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / ".lock", timeout=0):
            folder.claim(planned.as_record())
            if retry:
                folder.forget_failures()
            asked = Asked(planned, wishes, jobs, stack)
            tasks = Tasks(planned, folder, asked, retry)
            with listening() as request, crew(out / LOG) as team:
                if tasks.any():
                    choose_ways(planned, folder, asked, team, request, console)
                    for stage in (tasks.tuning, tasks.seeds):
                        _Stage(tasks, stage(), team, request, console).run()
            return write_outcome(out)
    except Timeout:
        raise UserError(f"--out {out}: another process works on this study") from None


class _Stage:
    """Tasks, worked off in their order, as many at once as the machine's shares allow."""

    def __init__(self, study: Tasks, tasks: list[Task], team: Crew, request: Request, console: Console):
        self.study, self.folder, self.team, self.request = study, study.folder, team, request
        self.waiting = tasks
        self.running: dict[Worker, Task] = {}
        self.progress = StudyProgress(console, sum(len(task.runs) for task in tasks), sum(t.seconds for t in tasks))

    def run(self) -> None:
        """Work off all tasks. Raises Interrupted when a signal has been obeyed."""
        with self.progress:
            while self.waiting or self.running:
                if self.request.signum:
                    self._stop()
                while self.waiting and self._fits(self.waiting[0]):
                    self._start(self.waiting.pop(0))
                self._collect()
                self.progress.show()

    def _fits(self, task: Task) -> bool:
        share = sum(1 / other.jobs for other in self.running.values()) + 1 / task.jobs
        return share < 1 + 1e-9

    def _start(self, task: Task) -> None:
        (worker,) = self.team.idle(1, busy=self.running)
        self.running[worker] = task
        worker.ask(task.message())
        self.progress.started(task.name)

    def _collect(self) -> None:
        """Take in what has ended."""
        for worker in answered(list(self.running), LOOK_EVERY):
            task, answer = self.running.pop(worker), worker.answer()
            if "interrupted" not in answer:
                # one that a signal ended while it got ready has not failed
                self._ended(task, None if self.request.signum else answer.get("failed"))

    def _ended(self, task: Task, failed: str | None) -> None:
        """What has become of the runs. Of a stack that could not be trained each run gets a chance of its own."""
        lost = self.study.unrecorded(task) if failed else []
        alone = self.study.apart(lost) if len(task.runs) > 1 else []
        if failed and not alone:
            for run in lost:
                self.folder.note_failure(run.place, failed)
        states = [self.folder.status(run.place) for run in task.runs]
        failures = [reason or "" for status, reason in states if status == "failed"]
        self.progress.ended(task.name, len(task.runs) - len(alone), task.seconds, failures)
        if failed and alone:
            self.waiting[:0] = alone
            self.progress.apart(task.name, failed, sum(each.seconds for each in alone))

    def _stop(self) -> None:
        for worker in self.running:
            worker.stop(self.request.signum)
        while self.running:
            self._collect()
        raise Interrupted(self.request.signum)
