"""The launch of a study: what is missing is trained, what is finished is left alone, what fails is recorded.

run_study(study, folder)     -> the plan's runs, as far as they could be trained
"""

from pathlib import Path

from rich.console import Console

from vitlab.base.errors import Interrupted
from vitlab.base.going_on import going_on
from vitlab.base.lock import alone_in
from vitlab.study.autotune import choose_executions
from vitlab.study.costs import measure_costs
from vitlab.study.execution import constraints_of
from vitlab.study.executor import local
from vitlab.study.executor._base import Ended, Executor, ExecutorSpec
from vitlab.study.jobs import Jobs, PlannedJob
from vitlab.study.plan import plan
from vitlab.study.progress import StudyProgress
from vitlab.study.spec import StudySpec
from vitlab.study.study_dir import StudyDir
from vitlab.train.interrupt import Request, listening
from vitlab.train.machine.choices import Overrides

LOOK_EVERY = 0.2  # seconds between looks at the signals


def run_study(
    study: StudySpec,
    out: Path,
    *,
    jobs: int | None = None,
    stack: bool | None = None,
    overrides: Overrides = Overrides(),
    retry: bool = False,
    executor: ExecutorSpec = local.Spec(),
    console: Console | None = None,
) -> None:
    """Train what the study in `out` lacks.

    `jobs` processes at once, `stack` runs in one or never: both are chosen by measuring if left open. `executor`: where
    they run. `retry`: failed runs are tried again. Raises UserError for what a user can mend, Interrupted after a
    signal.
    """
    console = console or Console(quiet=True)
    with going_on(console) as say:
        planned, study_dir = plan(study, say), StudyDir(out)
    with alone_in(out, "works on this study"):
        study_dir.claim(planned.as_record())
        if retry:
            study_dir.forget_failures()
        constraints = constraints_of(planned, overrides, jobs, stack, executor.here)
        missing = Jobs(planned, study_dir, constraints, retry)
        if not missing.any():
            return
        with listening() as request, executor.open(out) as running:
            with request.obeyed_at_once():  # workers may prepare the data for hours before they can be measured
                choose_executions(planned, study_dir, constraints, running, executor.measures, console)
            for stage in (missing.tuning, missing.seeds):
                _Stage(missing, stage(running), running, request, console).run()
            if executor.measures:
                with request.obeyed_at_once():
                    measure_costs(planned, study_dir, constraints, running, console)


class _Stage:
    """Jobs, submitted in their order as soon as there is room for each."""

    def __init__(self, study: Jobs, jobs: list[PlannedJob], executor: Executor, request: Request, console: Console):
        self.study, self.study_dir, self.executor, self.request = study, study.study_dir, executor, request
        self.waiting = jobs
        self.running: dict[str, PlannedJob] = {}
        runs, seconds = sum(len(planned.runs) for planned in jobs), sum(planned.job.seconds for planned in jobs)
        self.progress = StudyProgress(console, runs, seconds)

    def run(self) -> None:
        """Work off all jobs. Raises Interrupted when a signal has been obeyed."""
        with self.progress:
            while self.waiting or self.running:
                if self.request.signum:
                    self._stop()
                while self.waiting and self.executor.accepts(self.waiting[0].job):
                    self._submit(self.waiting.pop(0))
                self._collect()
                self.progress.show()

    def _submit(self, planned: PlannedJob) -> None:
        self.executor.submit(planned.job)
        self.running[planned.job.id] = planned
        self.progress.started(planned.job.name)

    def _collect(self) -> None:
        """Take in what has ended."""
        for ended in self.executor.ended(LOOK_EVERY):
            planned = self.running.pop(ended.job)
            if not ended.interrupted:
                self._ended(planned, ended)

    def _ended(self, planned: PlannedJob, ended: Ended) -> None:
        """What has become of the runs. Of a stack that could not be trained each run gets a chance of its own."""
        # one that a signal ended while it got ready has not failed
        failed = None if self.request.signum else ended.failed
        lost = self.study.unrecorded(planned) if failed else []
        alone = self.study.apart(lost) if len(planned.runs) > 1 else []
        if failed and not alone:
            for run in lost:
                self.study_dir.note_failure(run.place, failed)
        states = [self.study_dir.status(run.in_study()) for run in planned.runs]
        failures = [reason or "" for status, reason in states if status == "failed"]
        job = planned.job
        self.progress.ended(job.name, len(planned.runs) - len(alone), job.seconds, failures)
        if failed and alone:
            self.waiting[:0] = alone
            self.progress.apart(job.name, failed, sum(planned.job.seconds for planned in alone))

    def _stop(self) -> None:
        self.executor.cancel(self.request.signum)
        while self.running:
            self._collect()
        raise Interrupted(self.request.signum)
