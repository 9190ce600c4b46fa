"""One process's work on R runs: steps, and what happens between them: evaluate, save, print, stop."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

from vitlab.base import records
from vitlab.base.errors import UserError
from vitlab.checkpoints import native
from vitlab.data.images import ImageSet, Pictures
from vitlab.evaluate.topk import evaluate
from vitlab.processes import Processes
from vitlab.train.choices import Choices
from vitlab.train.describe import data_of, preprocessing_of
from vitlab.train.events import Events
from vitlab.train.finish import final_metrics, write_predictions
from vitlab.train.folder import RunFolder
from vitlab.train.interrupt import Interrupted, Request
from vitlab.train.loop import Loop, evaluation_pipeline
from vitlab.train.progress import Reporter
from vitlab.train.start import restore, start_from

CHECK_EVERY = 50  # steps between looks at the loss on a device that runs ahead of us


@dataclass(frozen=True)
class Saving:
    """When checkpoints are written: every so many steps, or seconds, whichever comes first; and always at the end.

    `tensorboard`: whether the evaluation lines are written as TensorBoard's events too.
    """

    steps: int | None = None
    seconds: float = 120.0
    tensorboard: bool = False


class Diverged(UserError):
    """The loss stopped being a number."""


class Session:
    """R runs in training. All processes of a job go the same way through it; the first one's folders write."""

    def __init__(
        self,
        runs: list[RunFolder],
        loop: Loop,
        images: ImageSet,
        val: Pictures,
        choices: Choices,
        saving: Saving,
        processes: Processes,
    ):
        self.runs, self.loop, self.images, self.val = runs, loop, images, val
        self.choices, self.saving, self.processes = choices, saving, processes
        self.prepare = evaluation_pipeline(loop.spec, images, choices)
        self.best: list[dict[str, float] | None] = [None] * len(runs)
        self.failed: list[int | None] = [None] * len(runs)
        self.started = self.saved = time.monotonic()

    def take_folders(self, env: dict[str, Any], init: Path | None) -> None:
        """Declare the runs that are new, and load the latest checkpoint of those that are not."""
        new = self.processes.by_first(lambda: [run.choices() is None for run in self.runs])
        if init is not None and any(new):
            start_from(self.loop.state, init)
        for index, run in enumerate(self.runs):
            if not new[index]:
                run.check_start(init)
                continue
            run.describe(env, preprocessing_of(self.loop.spec, self.images), self._data(run))
            if init is not None:  # saved before the run is declared, so that no resume can lose it
                run.save("step", self.loop.state, index, self._meta(index))
            run.declare(init)
        self.processes.wait()  # the first one has written what the others read now
        self._restore()
        self._check_sight(self.loop.state.step)  # and nothing is removed before all have read it
        for index, run in enumerate(self.runs):
            if not new[index]:
                run.reopen(self.choices)
                run.describe_data(self._data(run))

    def _data(self, run: RunFolder) -> dict[str, Any]:
        """What is known of the pictures; a resumed run's stream has met only those since then."""
        loader = self.loop.loader
        met = sorted({*run.unreadable(), *loader.unreadable})
        train = loader.per_epoch // self.loop.spec.repeats
        return data_of(self.images, train, len(self.val), met)

    def _restore(self) -> None:
        metas = restore(self.runs, self.loop.state)
        if metas is None:  # new, or killed before the first checkpoint
            return
        self.loop.meter.restore([meta["meter"] for meta in metas], self.choices.master_dtype)
        self.best = [meta["best"] for meta in metas]
        self.started -= metas[0]["seconds"]

    def _check_sight(self, step: int) -> None:
        """All processes must have found the checkpoint of the same step."""
        if not self.processes.agree(step):
            self.processes.end(
                UserError(f"{self.runs[0].path}: not all processes see its checkpoints; --out must be on a shared disk")
            )

    @property
    def seconds(self) -> float:
        """Time spent on these runs, over all processes that worked on them."""
        return time.monotonic() - self.started

    def run(self, request: Request, console: Console) -> None:
        """Train to the end, or to a signal."""
        loop = self.loop
        reporting = Reporter(console, loop.total_steps, loop.state.step)
        with reporting as reporter, Events(self.runs, self.saving.tensorboard) as events:
            while loop.state.step < loop.total_steps:
                loop.step()
                reporter.step(loop.state.step)
                evaluating, (saving, signum) = self._evaluation_due(), self._asked(request)
                if evaluating or saving or signum or self._looking():
                    self._look()
                if evaluating:
                    reporter.evaluated(self._evaluate())
                    events.update()
                if signum:
                    self._stop(signum)
                if saving:
                    self._save()
        self._finish()

    def _looking(self) -> bool:
        """Whether this step waits for the device: a GPU runs ahead of us."""
        return self.choices.device == "cpu" or self.loop.state.step % CHECK_EVERY == 0

    def _asked(self, request: Request) -> tuple[bool, int]:
        """Whether to save now, and the signal to stop for or 0. A clock or a signal of one process speaks for all."""
        asked = [int(time.monotonic() - self.saved >= self.saving.seconds), request.signum]
        if self.processes.count > 1:
            asked = self.processes.most(asked) if self._looking() else [0, 0]
        by_time, signum = asked
        by_steps = self.saving.steps and self.loop.state.step % self.saving.steps == 0
        return bool(by_time or by_steps or self.loop.state.step == self.loop.total_steps), signum

    def _look(self) -> None:
        """Find out which runs can no longer be trained: by their losses, and by the weights of the last step."""
        last = self.loop.state.step - 1
        weights = [None if finite else last for finite in self.loop.state.finite()]
        self._fail([a if a is not None else b for a, b in zip(self.loop.meter.failed_at(), weights, strict=True)])

    def _fail(self, steps: Sequence[int | None]) -> None:
        """Note at which step each run failed, if it did, and stop if all have."""
        for index, step in enumerate(steps):
            if step is not None and self.failed[index] is None:
                self.failed[index] = step
                self.runs[index].finish("failed", self._why(index), {"steps": step})
        if all(step is not None for step in self.failed):
            self.processes.end(Diverged(self._why(0)))

    def _fail_by(self, scores: Sequence[Mapping[str, float]]) -> None:
        """The same by what an evaluation gave: weights may be finite and too large to compute with."""
        last = self.loop.state.step - 1
        self._fail([None if all(map(math.isfinite, values.values())) else last for values in scores])

    def _why(self, run: int) -> str:
        step = self.failed[run]
        assert step is not None
        kept = native.latest(self.runs[run].checkpoints)
        epoch, lr = step / self.loop.steps_per_epoch, self.loop.lr(step, run)
        return (
            f"the loss or a weight of seed {self.runs[run].spec.seed} stopped being a finite number at step {step} "
            f"(epoch {epoch:.2f}, learning rate {lr:.3g}); the last good checkpoint is {kept or 'none yet'}.\n"
            "A lower optim.lr, a longer optim.schedule.warmup_steps or an optim.clip_norm usually helps."
        )

    def _evaluation_due(self) -> bool:
        step, every = self.loop.state.step, self.loop.spec.evaluate_every * self.loop.steps_per_epoch
        crossed = int(step / every + 1e-9) > int((step - 1) / every + 1e-9)
        return crossed or step == self.loop.total_steps

    def _save(self) -> None:
        for index, run in enumerate(self.runs):
            if self.loop.loader.unreadable:  # first: a resumed run no longer meets what was passed until now
                run.describe_data(self._data(run))
            if self.failed[index] is None:
                run.save("step", self.loop.state, index, self._meta(index))
        self.saved = time.monotonic()

    def _meta(self, run: int) -> dict[str, Any]:
        return {"seconds": self.seconds, "best": self.best[run], "meter": self.loop.meter.save(run)}

    def _score(self, split: Pictures) -> tuple[list[dict[str, float]], Tensor]:
        """Evaluate all runs; without gradients four micro-batches take less memory than one did with them."""
        batch_size = min(512, 4 * self.choices.micro_batch)
        noisy = torch.tensor([run.spec.seed for run in self.runs]) if self.loop.spec.evaluate_with_dropout else None
        return evaluate(self.loop.scores, self.prepare, split, len(self.runs), batch_size, self.processes, noisy)

    def _evaluate(self) -> list[dict[str, Any]]:
        """Score the validation split, and the test split where its curve is asked for; write one line a run."""
        loop, step = self.loop, self.loop.state.step
        lines = [self._line(step, run) | means for run, means in enumerate(loop.meter.read())]
        splits: dict[str, Pictures] = {"val": self.val} if len(self.val) else {}
        if loop.spec.test_every_epoch:
            splits["test"] = self.images.test
        loop.state.publish_evaluated()
        for name, split in splits.items():
            means, _ = self._score(split)
            lines = [line | {f"{name}_{k}": v for k, v in m.items()} for line, m in zip(lines, means, strict=True)]
        self._fail_by(lines)
        for index, (run, line) in enumerate(zip(self.runs, lines, strict=True)):
            if self.failed[index] is None:
                run.add_line(line)
                self._keep_if_best(index, line)
        return [line for line, failed in zip(lines, self.failed, strict=True) if failed is None]

    def _line(self, step: int, run: int) -> dict[str, Any]:
        epoch = step / self.loop.steps_per_epoch
        seen = step * self.loop.spec.batch_size
        lr = self.loop.lr(step - 1, run)
        return {"step": step, "epoch": epoch, "images_seen": seen, "lr": lr, "seconds": round(self.seconds, 3)}

    def _keep_if_best(self, index: int, line: dict[str, Any]) -> None:
        best = self.best[index]
        if "val_top1" in line and (best is None or line["val_top1"] > best["val_top1"]):
            self.best[index] = {"step": line["step"], "val_top1": line["val_top1"]}
            if self.loop.spec.weights == "best":
                self.runs[index].save("best", self.loop.state, index, self._meta(index))

    def _stop(self, signum: int) -> None:
        self._save()
        for run, failed in zip(self.runs, self.failed, strict=True):
            if failed is None:
                run.finish("interrupted", f"signal {signum}", {"steps": self.loop.state.step})
        self.processes.wait()  # torchrun ends all as soon as one has left: the first one may still be saving
        raise Interrupted(signum)

    def _finish(self) -> None:
        """Read the test split, once, and write the results."""
        loop = self.loop
        loop.state.publish_evaluated()
        if loop.spec.weights == "best":
            self.processes.wait()  # for the first one to have written it
            for index, run in enumerate(self.runs):
                kept = native.best(run.checkpoints)
                self._check_sight(native.step_of(kept) if kept else 0)
                if self.failed[index] is None and kept is not None:
                    loop.state.weights.show(index, native.load(kept).model)
        means, logits = self._score(self.images.test)
        logits = self.processes.whole(logits, len(self.images.test))
        self._fail_by(means)
        for index, run in enumerate(self.runs):
            if run.writes and self.failed[index] is None:
                write_predictions(run.path / "predictions.npz", self.images.test, logits[index], loop.spec.task)
                test = {f"test_{name}": value for name, value in means[index].items()}
                metrics = test | final_metrics(loop, self._line_of(index), self.seconds, self.choices)
                run.finish("finished", None, metrics | {"best_step": self._best_step(index)})

    def _line_of(self, index: int) -> dict[str, Any]:
        """The evaluation of the weights that the test split sees."""
        lines = records.read_lines(self.runs[index].metrics)
        if self.loop.spec.weights == "last":
            return lines[-1]
        return next(line for line in lines if line["step"] == self._best_step(index))

    def _best_step(self, index: int) -> float | None:
        best = self.best[index]
        return None if best is None else best["step"]
