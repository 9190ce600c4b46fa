"""The training loop's heart: one step of R runs. What is around it (evaluating, saving) is `vitlab.train.trainer`.

The seams, so that no idea needs a fork: the *task* (inside `gradient`), the *gradient* as a callable that the update
calls once or more, and the *evaluators*, which see the same scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from vitlab.data.loader import Joined, Loader
from vitlab.learner import Learner, ScoreFunction
from vitlab.optim.groups import clip_by_norm
from vitlab.train.spec import RunSpec
from vitlab.train.stacking import Section
from vitlab.train.step.gradient import BatchGradient
from vitlab.train.step.meter import Meter
from vitlab.train.step.state import TrainState


@dataclass
class Loop:
    """R runs of one structure, ready to step; `vitlab.train.step.assemble` makes it."""

    sections: Sequence[Section]
    learner: Learner
    loader: Loader | Joined
    scores: ScoreFunction
    gradient: BatchGradient
    state: TrainState
    meter: Meter

    @property
    def spec(self) -> RunSpec:
        """The first run's; the others differ in what `vitlab.train.stacking` lets them."""
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
        scored: list[dict[str, Tensor]] = []

        def gradient() -> list[Tensor]:
            gradients, totals = self.gradient(batch)
            scored.append(totals)
            return gradients

        gradients = optim.update.gradient(gradient, state.weights.masters, self._shares(lrs))
        if optim.clip_norm is not None:
            clip_by_norm(gradients, optim.clip_norm)
        self.meter.add(scored[0], self.spec.batch_size, state.step)  # at the weights, wherever an update looks besides
        state.advance(gradients, lrs)

    def _shares(self, lrs: Sequence[float]) -> list[float]:
        """How large each run's rate is, between its smallest and its largest."""
        shares = []
        for (rows, spec), lr in zip(self.sections, lrs, strict=True):
            shares += [spec.optim.schedule.share(spec.optim.lr, lr)] * (rows.stop - rows.start)
        return shares
