"""`Trainer`: one process's work on R runs: steps, and what happens between them: evaluate, save, print, stop."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from torch import Tensor

from vitlab.base.errors import Interrupted, UserError
from vitlab.base.going_on import going_on
from vitlab.base.spec import to_dict
from vitlab.checkpoints import native
from vitlab.data.images import ImageSet
from vitlab.evaluate._base import Evaluation, EvaluatorSpec, Split
from vitlab.learner import of_model, together
from vitlab.processes import Processes
from vitlab.records.data import DataRecord
from vitlab.records.run import Environment
from vitlab.train.early_look import EarlyLook
from vitlab.train.evaluations import Evaluations
from vitlab.train.interrupt import Request
from vitlab.train.machine.choices import Choices
from vitlab.train.progress import Reporter
from vitlab.train.run import Run
from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
from vitlab.train.run_dir.data_record import data_record
from vitlab.train.run_dir.results import final_metrics, pictures_of, predictions_of
from vitlab.train.run_dir.resume import restore
from vitlab.train.run_dir.run_dir import RunDir
from vitlab.train.start._base import Beginning
from vitlab.train.step.assemble import preprocessing_of
from vitlab.train.step.loop import Loop
from vitlab.train.tensorboard import Events

CHECK_EVERY = 50  # steps between looks at the loss on a device that runs ahead of us


class Diverged(UserError):
    """The loss stopped being a number."""


class Trainer:
    """R runs in training. All processes of a job go the same way through it; the first one's directories write."""

    def __init__(
        self,
        run_dirs: Sequence[RunDir],
        loop: Loop,
        images: ImageSet,
        evaluations: Evaluations,
        choices: Choices,
        policy: CheckpointPolicy,
        processes: Processes,
    ):
        self.runs = [Run(run_dir, row) for row, run_dir in enumerate(run_dirs)]
        self.loop, self.images, self.evaluations = loop, images, evaluations
        self.choices, self.policy, self.processes = choices, policy, processes
        self.preprocessing = preprocessing_of(loop.spec, images)
        self.started = self.saved = time.monotonic()

    # ------------------------------------------------------------------------------------------------------ beginning

    def begin(self, environment: Environment, console: Console) -> None:
        """Declare the runs that are new, and load the latest checkpoint of those that are not."""
        new = self.processes.broadcast_from_main(lambda: [not run.run_dir.begun for run in self.runs])
        beginnings = {run.row: self._start(run, console) for run in self.runs if new[run.row]}
        for run in self.runs:
            if run.row in beginnings:
                self._declare(run, environment, beginnings[run.row])
        self.processes.barrier()  # the main process has written what the others read now
        self._restore()
        self._check_sight(self.loop.state.step)  # and nothing is removed before all have read it
        for run in self.runs:
            if not new[run.row]:
                run.run_dir.reopen(self.choices)
                run.run_dir.record_data(self._data(run))

    def _start(self, run: Run, console: Console) -> Beginning:
        """Give a new run the weights that it starts from."""
        state, start = self.loop.state, run.spec.start
        beginning = start.begin(run.spec.model, of_model(state.evaluated(run.row)), self.preprocessing.class_names)
        if start.from_source:
            state.begin_with(run.row, beginning.tensors)
            console.print(_told(run, beginning), highlight=False)
        return beginning

    def _declare(self, run: Run, environment: Environment, beginning: Beginning) -> None:
        """Write a new run's records; its folder is a run from now on."""
        run.run_dir.record(environment, self.preprocessing, self._data(run))
        if run.spec.start.from_source:  # saved before the run is declared, so that no resume can lose it
            self._save_run(run, "step")
        run.run_dir.declare(beginning.anew)

    def _data(self, run: Run) -> DataRecord:
        """What is known of the pictures; a resumed run's stream has met only those since then."""
        loader = self.loop.loader
        met = sorted({*run.run_dir.unreadable(), *loader.unreadable})
        train = loader.per_epoch // self.loop.spec.repeats
        return data_record(self.images, train, len(self.evaluations.val), met)

    def _restore(self) -> None:
        metas = restore([run.run_dir for run in self.runs], self.loop.state)
        if metas is None:  # new, or killed before the first checkpoint
            return
        progress = [meta.progress for meta in metas]
        self.loop.meter.restore([before["meter"] for before in progress], self.choices.master_dtype)
        for run, before in zip(self.runs, progress, strict=True):
            run.best = before["best"]
        self.started -= progress[0]["seconds"]

    def _check_sight(self, step: int) -> None:
        """All processes must have found the checkpoint of the same step."""
        if not self.processes.all_agree(step):
            path = self.runs[0].run_dir.path
            mistake = f"{path}: not all processes see its checkpoints; --out must be on a shared disk"
            self.processes.abort(UserError(mistake))

    # ------------------------------------------------------------------------------------------------------- training

    @property
    def seconds(self) -> float:
        """How long the runs have trained, the processes before this one included."""
        return time.monotonic() - self.started

    def train(self, request: Request, console: Console, tensorboard: bool) -> None:
        """Train to the end. Raises Diverged if no run can be trained, Interrupted after a signal."""
        loop = self.loop
        if self.choices.compiled:
            console.print("the first step compiles, which may take minutes", highlight=False)
        events = Events([run.run_dir for run in self.runs], tensorboard)
        early = EarlyLook(loop, self.evaluations, self.processes)
        with Reporter(console, loop.spec, loop.total_steps, loop.state.step) as reporter, events:
            while loop.state.step < loop.total_steps:
                loop.step()
                reporter.step(loop.state.step)
                evaluating, (saving, signum) = self.evaluations.due(), self._asked(request)
                if evaluating or saving or signum or self._looking():
                    self._look()
                if evaluating:
                    with reporter.evaluating():
                        lines = self._evaluate()
                    reporter.evaluated(lines)
                    events.update()
                    early.over = True
                elif early.due():
                    reporter.looked(early.look(), self.seconds)
                if signum:
                    self._stop(signum)
                if saving:
                    self._save()
        with going_on(console, "evaluating what was trained"):
            self._finish()

    def _looking(self) -> bool:
        """Whether this step waits for the device: a GPU runs ahead of us."""
        return self.choices.device == "cpu" or self.loop.state.step % CHECK_EVERY == 0

    def _asked(self, request: Request) -> tuple[bool, int]:
        """Whether to save now, and the signal to stop for or 0. A clock or a signal of one process speaks for all."""
        asked = [int(time.monotonic() - self.saved >= self.policy.seconds), request.signum]
        if self.processes.count > 1:
            asked = self.processes.all_reduce_max(asked) if self._looking() else [0, 0]
        by_time, signum = asked
        return bool(by_time) or self.policy.due(self.loop.state.step, self.loop.total_steps), signum

    def _evaluate(self) -> list[dict[str, Any]]:
        """Measure what is due, and write one line a run; the lines of those that have not failed."""
        training, measured = self.loop.meter.read(), self.evaluations.along()
        lines = [self._line(run) | training[run.row] | measured[run.row] for run in self.runs]
        self._fail_by(lines)
        for run in self.runs:
            if not run.failed:
                run.run_dir.add_line(lines[run.row])
                if run.note_if_best(lines[run.row]) and run.spec.weights == "best":
                    self._save_run(run, "best")
        return [lines[run.row] for run in self.runs if not run.failed]

    def _line(self, run: Run) -> dict[str, Any]:
        step = self.loop.state.step
        return {
            "step": step,
            "epoch": step / self.loop.steps_per_epoch,
            "images_seen": step * self.loop.spec.batch_size,
            "lr": self.loop.lr(step - 1, run.row),
            "seconds": round(self.seconds, 3),
        }

    # -------------------------------------------------------------------------------------------------------- failing

    def _look(self) -> None:
        """Find out which runs can no longer be trained: by their losses, and by the weights of the last step."""
        last = self.loop.state.step - 1
        weights = [None if finite else last for finite in self.loop.state.finite()]
        losses = self.loop.meter.failed_at()
        self._fail([loss if loss is not None else weight for loss, weight in zip(losses, weights, strict=True)])

    def _fail(self, steps: Sequence[int | None]) -> None:
        """Note at which step each run failed, if it did, and stop if all have."""
        for run, step in zip(self.runs, steps, strict=True):
            if step is not None and not run.failed:
                run.failed_at = step
                run.finish("failed", self._why(run), {"steps": step}, diverged=True)
        if all(run.failed for run in self.runs):
            self.processes.abort(Diverged(self._why(self.runs[0])))

    def _fail_by(self, measured: Sequence[Mapping[str, float | None]]) -> None:
        """The same by what an evaluation gave: weights may be finite and too large to compute with."""
        last = self.loop.state.step - 1
        sound = [all(value is None or math.isfinite(value) for value in values.values()) for values in measured]
        self._fail([None if finite else last for finite in sound])

    def _why(self, run: Run) -> str:
        step = run.failed_at
        assert step is not None
        kept = native.latest(run.run_dir.checkpoints)
        epoch, lr = step / self.loop.steps_per_epoch, self.loop.lr(step, run.row)
        good = f"the last good checkpoint is {kept}" if kept else "no checkpoint had been kept"
        return (
            f"the loss or a weight of seed {run.spec.seed} stopped being a finite number at step {step} "
            f"(epoch {epoch:.2f}, learning rate {lr:.3g}); {good}.\n"
            "A lower optim.lr, a longer optim.schedule.warmup_steps or an optim.clip_norm usually helps."
        )

    # --------------------------------------------------------------------------------------------------------- saving

    def _save(self) -> None:
        for run in self.runs:
            if self.loop.loader.unreadable:  # first: a resumed run no longer meets what was passed until now
                run.run_dir.record_data(self._data(run))
            if not run.failed:
                self._save_run(run, "step")
        self.saved = time.monotonic()

    def _save_run(self, run: Run, kind: str) -> None:
        progress = {"seconds": self.seconds, "meter": self.loop.meter.save(run.row)}
        run.save(kind, self.loop.state, self.preprocessing, progress)

    def _stop(self, signum: int) -> None:
        self._save()
        for run in self.runs:
            if not run.failed:
                run.finish("interrupted", f"signal {signum}", {"steps": self.loop.state.step})
        self.processes.barrier()  # torchrun ends all as soon as one has left: the main one may still be saving
        raise Interrupted(signum)

    # ---------------------------------------------------------------------------------------------------------- ending

    def _finish(self) -> None:
        """Measure what is measured at the end, the test split among it, once; and write the results.

        The validation split is measured again: what its single pictures scored is not kept along the way.
        """
        if self.loop.spec.weights == "best":
            self._take_best()
        self.loop.state.compute_with_evaluated()
        logits: list[Tensor] = []
        scores: dict[Split, dict[str, Tensor]] = {}

        def note(evaluator: EvaluatorSpec, evaluation: Evaluation) -> None:
            split = evaluator.split
            if split == "train":
                return
            count = len(self.evaluations.pictures(split))
            if split == "test" and evaluation.logits is not None:
                logits.append(self.processes.all_gather(evaluation.logits, count))
            for name, each in evaluation.scores.items():
                scores.setdefault(split, {})[name] = self.processes.all_gather(each, count)

        measured = self.evaluations.at_end(note)
        self.evaluations.of_validation(note)
        self._fail_by(measured)
        for run in self.runs:
            if run.run_dir.writes and not run.failed:
                self._keep_held_out(run, logits, scores)
                metrics = final_metrics(self.loop, run.kept_line(), self.seconds, self.choices)
                run.finish("finished", None, metrics | measured[run.row] | {"best_step": run.best_step})

    def _keep_held_out(self, run: Run, logits: Sequence[Tensor], scores: Mapping[Split, Mapping[str, Tensor]]) -> None:
        """Record what a run said of every test image, and what every image that is held out scored."""
        place = run.run_dir.path
        if logits:
            predictions_of(self.images.test, logits[-1][run.row], run.spec.task).write(place)
        for split, by_metric in scores.items():
            of_run = {name: each[run.row] for name, each in by_metric.items()}
            pictures_of(split, self.evaluations.pictures(split), of_run).write(place)

    def _take_best(self) -> None:
        """Let every run be evaluated with its best weights on validation."""
        self.processes.barrier()  # for the main process to have written them
        for run in self.runs:
            kept = run.best_checkpoint
            self._check_sight(native.step_of(kept) if kept else 0)
            if not run.failed and kept is not None:
                tensors = native.load(kept).tensors
                self.loop.state.evaluate_with(run.row, together(tensors.model, tensors.task))


def _told(run: Run, beginning: Beginning) -> str:
    """What a person hears of a run that starts from trained weights."""
    start = to_dict(run.spec.start)
    told = f"seed {run.spec.seed} starts from {start.get('path', start['name'])}"
    changed = "".join(f"; {said}" for said in beginning.changed)
    if not beginning.anew:
        return f"{told}, with all its tensors{changed}"
    why = f" ({beginning.why})" if beginning.why else ""
    return f"{told}{changed}; newly initialised{why}: {', '.join(beginning.anew)}"
