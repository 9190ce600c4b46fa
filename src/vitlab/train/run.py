"""Training, from a spec to a finished run directory.

    train([spec], [folder], recipe="digits")      -> the runs' results

Runs that differ only in their seed may be given together: they are trained at once, stacked, each into a folder of
its own, and each with the result that it would have alone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from vitlab.base import records
from vitlab.base.env import describe
from vitlab.base.errors import SpecError, UserError
from vitlab.base.spec import to_dict
from vitlab.checkpoints import native
from vitlab.data.images import Images, ImageSet
from vitlab.data.splits import carve
from vitlab.evaluate.topk import evaluate
from vitlab.train.choices import Choices, Wishes, choose
from vitlab.train.finish import final_metrics, write_predictions
from vitlab.train.folder import RunFolder, preprocessing_of, restore, start_from
from vitlab.train.interrupt import Interrupted, Request, listening
from vitlab.train.loop import Loop, build_loop, evaluation_pipeline, take
from vitlab.train.memory import naming_the_setting
from vitlab.train.progress import Reporter
from vitlab.train.spec import RunSpec
from vitlab.train.trial import seconds_per_step

CHECK_EVERY = 50  # steps between looks at the loss on a device that runs ahead of us


@dataclass(frozen=True)
class Saving:
    """When checkpoints are written: every so many steps, or seconds, whichever comes first; and always at the end."""

    steps: int | None = None
    seconds: float = 120.0


class Diverged(UserError):
    """The loss stopped being a number."""


def train(
    specs: Sequence[RunSpec],
    folders: Sequence[Path],
    *,
    recipe: str = "",
    wishes: Wishes = Wishes(),
    saving: Saving = Saving(),
    resume: bool = False,
    init: Path | None = None,
    console: Console | None = None,
) -> list[dict[str, Any]]:
    """Train every spec into its folder; the contents of each run's result.json.

    `resume` goes on from the latest checkpoint, or starts where there is none; a finished run is left as it is.
    Raises UserError for what a user can mend, Diverged if the loss is no longer a number, Interrupted after a signal.
    """
    _check_alike(specs)
    runs = [RunFolder(Path(path), spec) for spec, path in zip(specs, folders, strict=True)]
    for run in runs:
        run.claim(resume)
    waiting = [run for run in runs if not run.finished()]
    if waiting:
        console = console or Console(quiet=True)
        session = _prepare(waiting, recipe, wishes, saving, init, console)
        with naming_the_setting(session.choices, session.loop.spec), listening() as request:
            session.run(request, console)
    return [records.read_json(run.path / "result.json") for run in runs]


def _check_alike(specs: Sequence[RunSpec]) -> None:
    if not specs:
        raise SpecError("no run to train")
    if any(replace(spec, seed=specs[0].seed) != specs[0] for spec in specs):
        raise SpecError("runs that are trained at once may differ in their seed only")


def _prepare(
    runs: list[RunFolder], recipe: str, wishes: Wishes, saving: Saving, init: Path | None, console: Console
) -> "Session":
    specs = [run.spec for run in runs]
    first = specs[0]
    images = first.data.load()
    train_indices, val_indices = carve(images.train.labels, first.val_fraction, first.val_seed)
    choices = runs[0].choices()
    if choices is None:
        trial_set = images  # on the CPU, where trials run

        def seconds(candidate: Choices) -> float:
            return seconds_per_step(specs, trial_set, train_indices, candidate)

        choices = choose(wishes, first.batch_size, seconds)
    torch.set_num_threads(choices.threads)
    images = replace(images, train=images.train.to(choices.device), test=images.test.to(choices.device))
    loop = build_loop(specs, images, train_indices, choices)
    for run in runs:
        if run.choices() is None:
            run.begin(recipe, {**describe(), "choices": to_dict(choices)}, preprocessing_of(first, images))
    session = Session(runs, loop, images, take(images.train, val_indices), choices, saving)
    session.resume_or_start(init)
    said = f"{choices.device}, {choices.precision}, {choices.kernel} attention, {choices.threads} threads"
    console.print(
        f"{len(runs)} run(s), {loop.total_steps} steps of {first.batch_size} images on {said}", highlight=False
    )
    return session


class Session:
    """One process's work on R runs: steps, and what happens between them."""

    def __init__(
        self, runs: list[RunFolder], loop: Loop, images: ImageSet, val: Images, choices: Choices, saving: Saving
    ):
        self.runs, self.loop, self.images, self.val = runs, loop, images, val
        self.choices, self.saving = choices, saving
        self.prepare = evaluation_pipeline(loop.spec, images, choices)
        self.best: list[dict[str, float] | None] = [None] * len(runs)
        self.failed: list[int | None] = [None] * len(runs)
        self.started = self.saved = time.monotonic()

    def resume_or_start(self, init: Path | None) -> None:
        """Load the latest checkpoint; without one, the initial weights that were asked for."""
        metas = restore(self.runs, self.loop.state)
        if metas is None:
            if init is not None:
                start_from(self.loop.state, init)
            return
        self.loop.meter.restore([meta["meter"] for meta in metas], self.choices.master_dtype)
        self.best = [meta["best"] for meta in metas]
        self.started -= metas[0]["seconds"]

    @property
    def seconds(self) -> float:
        """Time spent on these runs, over all processes that worked on them."""
        return time.monotonic() - self.started

    def run(self, request: Request, console: Console) -> None:
        """Train to the end, or to a signal."""
        loop = self.loop
        with Reporter(console, loop.total_steps, loop.state.step) as reporter:
            while loop.state.step < loop.total_steps:
                loop.step()
                reporter.step(loop.state.step)
                self._look_at_loss()
                if self._evaluation_due():
                    reporter.evaluated(self._evaluate())
                if request.signum:
                    self._stop(request.signum)
                if self._save_due():
                    self._save()
        self._finish()

    def _look_at_loss(self) -> None:
        step = self.loop.state.step
        if self.choices.device != "cpu" and step % CHECK_EVERY and not self._evaluation_due() and not self._save_due():
            return
        self.failed = self.loop.meter.failed_at()
        if all(failed is not None for failed in self.failed):
            self._write_failures()
            raise Diverged(self._why(0))

    def _why(self, run: int) -> str:
        step = self.failed[run]
        assert step is not None
        kept = native.latest(self.runs[run].checkpoints)
        epoch, lr = step / self.loop.steps_per_epoch, self.loop.lr(step)
        return (
            f"the loss of seed {self.runs[run].spec.seed} stopped being a finite number at step {step} "
            f"(epoch {epoch:.2f}, learning rate {lr:.3g}); the last good checkpoint is {kept or 'none yet'}.\n"
            "A lower optim.lr, a longer optim.schedule.warmup_steps or an optim.clip_norm usually helps."
        )

    def _write_failures(self) -> None:
        for index, (run, failed) in enumerate(zip(self.runs, self.failed, strict=True)):
            if failed is not None:
                run.finish("failed", self._why(index), {"steps": failed})

    def _evaluation_due(self) -> bool:
        step, every = self.loop.state.step, self.loop.spec.evaluate_every * self.loop.steps_per_epoch
        crossed = int(step / every + 1e-9) > int((step - 1) / every + 1e-9)
        return crossed or step == self.loop.total_steps

    def _save_due(self) -> bool:
        by_steps = self.saving.steps and self.loop.state.step % self.saving.steps == 0
        by_time = time.monotonic() - self.saved >= self.saving.seconds
        return bool(by_steps or by_time or self.loop.state.step == self.loop.total_steps)

    def _save(self) -> None:
        for index, run in enumerate(self.runs):
            if self.failed[index] is None:
                run.save("step", self.loop.state, index, self._meta(index))
        self.saved = time.monotonic()

    def _meta(self, run: int) -> dict[str, Any]:
        return {"seconds": self.seconds, "best": self.best[run], "meter": self.loop.meter.save(run)}

    def _evaluate(self) -> list[dict[str, Any]]:
        """Score the validation split, and the test split where its curve is asked for; write one line a run."""
        loop, step = self.loop, self.loop.state.step
        lines = [self._line(step) | means for means in loop.meter.read()]
        splits = {"val": self.val} if len(self.val) else {}
        if loop.spec.test_every_epoch:
            splits["test"] = self.images.test
        loop.state.publish_evaluated()
        for name, split in splits.items():
            means, _ = evaluate(loop.scores, self.prepare, split, len(self.runs))
            lines = [line | {f"{name}_{k}": v for k, v in m.items()} for line, m in zip(lines, means, strict=True)]
        for index, (run, line) in enumerate(zip(self.runs, lines, strict=True)):
            if self.failed[index] is None:
                records.append_line(run.metrics, line)
                self._keep_if_best(index, line)
        return [line for line, failed in zip(lines, self.failed, strict=True) if failed is None]

    def _line(self, step: int) -> dict[str, Any]:
        epoch = step / self.loop.steps_per_epoch
        seen = step * self.loop.spec.batch_size
        lr = self.loop.lr(step - 1)
        return {"step": step, "epoch": epoch, "images_seen": seen, "lr": lr, "seconds": round(self.seconds, 3)}

    def _keep_if_best(self, index: int, line: dict[str, Any]) -> None:
        best = self.best[index]
        if "val_top1" in line and (best is None or line["val_top1"] > best["val_top1"]):
            self.best[index] = {"step": line["step"], "val_top1": line["val_top1"]}
            if self.loop.spec.weights == "best":
                self.runs[index].save("best", self.loop.state, index, self._meta(index))

    def _stop(self, signum: int) -> None:
        self._save()
        for run in self.runs:
            run.finish("interrupted", f"signal {signum}", {"steps": self.loop.state.step})
        raise Interrupted(signum)

    def _finish(self) -> None:
        """Read the test split, once, and write the results."""
        loop = self.loop
        loop.state.publish_evaluated()
        if loop.spec.weights == "best":
            for index, run in enumerate(self.runs):
                kept = native.best(run.checkpoints)
                assert kept is not None
                loop.state.weights.show(index, native.load(kept).model)
        means, logits = evaluate(loop.scores, self.prepare, self.images.test, len(self.runs))
        self._write_failures()
        for index, run in enumerate(self.runs):
            if self.failed[index] is None:
                write_predictions(run.path / "predictions.npz", self.images.test, logits[index], loop.spec.task)
                test = {f"test_{name}": value for name, value in means[index].items()}
                metrics = test | final_metrics(loop, records.read_lines(run.metrics), self.seconds, self.choices)
                run.finish("finished", None, metrics | {"best_step": self._best_step(index)})

    def _best_step(self, index: int) -> float | None:
        best = self.best[index]
        return None if best is None else best["step"]
