"""The training loop's heart: one step of R runs. What is around it (saving, evaluating) is `train/session.py`.

The seams, so that no idea needs a fork: the *task* (inside `scores`), the *gradient* as a callable that the update
calls once or more, and the *evaluators*, which see the same `scores`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.augment.pipeline import Pipeline
from vitlab.base.errors import SpecError
from vitlab.data.images import ImageSet, Pictures
from vitlab.data.loader import Indexed, Joined, Loader, Samples, Streamed
from vitlab.data.stream import Stream
from vitlab.models.vit import build
from vitlab.nn.kernel import use_kernel
from vitlab.nn.kinds import parameter_kinds
from vitlab.optim.groups import clip_by_norm
from vitlab.processes import ALONE, Processes
from vitlab.train.alike import Section, sections
from vitlab.train.checkpointing import checkpoint_blocks
from vitlab.train.choices import Choices
from vitlab.train.gradient import BatchGradient
from vitlab.train.memory import keep_freed_memory
from vitlab.train.meter import Meter
from vitlab.train.spec import RunSpec
from vitlab.train.stack import ScoreFunction, score_function
from vitlab.train.state import Pacing, TrainState
from vitlab.train.weights import Precision, Weights


@dataclass
class Loop:
    """R runs of one structure, ready to step."""

    sections: Sequence[Section]
    loader: Loader | Joined
    scores: ScoreFunction
    gradient: BatchGradient
    state: TrainState
    meter: Meter

    @property
    def spec(self) -> RunSpec:
        """The first run's; the others differ in what `vitlab.train.alike` lets them."""
        return self.sections[0].spec

    @property
    def steps_per_epoch(self) -> float:
        """Steps in one pass over the training images; not a whole number, since batches may straddle passes."""
        return self.loader.per_epoch / self.spec.batch_size

    @property
    def total_steps(self) -> int:
        """How many steps the run has."""
        return self.spec.total_steps(self.steps_per_epoch)

    def lr(self, step: int, run: int = 0) -> float:
        """The base learning rate of a step."""
        return self._lr(step, next(section for section in self.sections if run < section.rows.stop))

    def _lr(self, step: int, section: Section) -> float:
        optim = section.spec.optim
        return optim.schedule.lr(optim.lr, step, self.total_steps, self.steps_per_epoch)

    def step(self) -> None:
        """Take one optimiser step. Nothing in it waits for the device."""
        optim, state = self.spec.optim, self.state
        batch, lrs = self.loader.batch(state.step), [self._lr(state.step, section) for section in self.sections]
        scored: list[Mapping[str, Tensor]] = []

        def gradient() -> list[Tensor]:
            found = self.gradient(batch)
            scored.append(self.gradient.totals)
            return found

        gradients = optim.update.gradient(gradient, state.weights.masters, self._shares(lrs))
        if optim.clip_norm is not None:
            clip_by_norm(gradients, optim.clip_norm)
        self.meter.add(scored[0], self.spec.batch_size, state.step)  # at the weights, wherever an update looks besides
        state.advance(gradients, lrs)

    def _shares(self, lrs: Sequence[float]) -> list[float]:
        """How large each run's rate is, between its smallest and its largest."""
        found = []
        for (rows, spec), lr in zip(self.sections, lrs, strict=True):
            found += [spec.optim.schedule.share(spec.optim.lr, lr)] * (rows.stop - rows.start)
        return found


def build_loop(
    specs: Sequence[RunSpec], images: ImageSet, indices: Tensor, choices: Choices, processes: Processes = ALONE
) -> Loop:
    """Runs of one structure as one loop over `indices` of the training images. Raises SpecError for others."""
    first, stacked = specs[0], sections(specs)
    device = torch.device(choices.device)
    if device.type == "cpu":
        keep_freed_memory()
    models = [build(spec.model, spec.seed) for spec in specs]
    kinds = parameter_kinds(models[0])
    pacing = [Pacing(rows, spec.optim.groups(kinds, spec.model.depth)) for rows, spec in stacked]
    precision = Precision(device, choices.master_dtype, choices.compute_dtype, separate=first.optim.ema is not None)
    weights = Weights(pacing[0].groups, models, precision)
    model = models[0].to(device, choices.compute_dtype)
    use_kernel(model, choices.kernel)
    if choices.checkpointing:
        checkpoint_blocks(model, len(specs), choices.compiled)
    scores = score_function(model, first.task, weights, choices.compiled)
    part = processes.part(first.batch_size)
    loaders = [loader_of(specs[rows], images, indices, choices, part) for rows, _ in stacked]
    return Loop(
        sections=stacked,
        loader=Joined(loaders) if len(loaders) > 1 else loaders[0],
        scores=scores,
        gradient=BatchGradient(scores, weights, choices.micro_batch, processes, choices.replayed),
        state=TrainState(weights, first.optim, pacing),
        meter=Meter(len(specs), device),
    )


def loader_of(
    specs: Sequence[RunSpec], images: ImageSet, indices: Tensor, choices: Choices, part: slice | None = None
) -> Loader:
    """The batches of runs that differ in their seed only; `part` is what this process takes of each."""
    first, seeds = specs[0], torch.tensor([spec.seed for spec in specs])
    samples = samples_of(first, images.train, indices, seeds)
    return Loader(samples, training_pipeline(first, images, choices), first.batch_size, seeds, part)


def samples_of(spec: RunSpec, train: Pictures | Stream, indices: Tensor, seeds: Tensor) -> Samples:
    """The runs' sample streams: those of `indices` in exact order, or what a streamed set gives."""
    if not isinstance(train, Stream):
        return Indexed(train, indices, seeds, spec.repeats)
    if spec.repeats > 1:
        raise SpecError(
            f"repeats={spec.repeats} and data.streaming=True: a stream gives every picture once; set repeats=1"
        )
    return Streamed([train.reader(seed) for seed in seeds.tolist()], train.samples_per_epoch)


def training_pipeline(spec: RunSpec, images: ImageSet, choices: Choices) -> Pipeline:
    """What happens to a training batch's pixels."""
    return Pipeline(spec.augment, images.mean, images.std, spec.model.num_classes, choices.compute_dtype)


def evaluation_pipeline(spec: RunSpec, images: ImageSet, choices: Choices) -> Pipeline:
    """What happens to any other batch's: augmentation must never touch an evaluation."""
    return Pipeline(spec.preprocess, images.mean, images.std, spec.model.num_classes, choices.compute_dtype)
