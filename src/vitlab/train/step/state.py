"""The state of a training, all that changes: weights, optimiser slots, moving average, step. A checkpoint holds it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.optim.groups import Group
from vitlab.train.spec import OptimSpec
from vitlab.train.step.weights import Weights


class Pacing(NamedTuple):
    """How fast some of the runs learn and how much they decay."""

    rows: slice
    groups: Sequence[Group]  # of the same parameters for all runs


class TrainState:
    """The state of R runs in step with each other."""

    def __init__(self, weights: Weights, optim: OptimSpec, pacing: Sequence[Pacing]):
        self.weights, self.optim, self.pacing = weights, optim, pacing
        self.step = 0
        slots = optim.optimizer.slots
        self.slots = [{name: torch.zeros_like(g.master) for name in slots} for g in weights.groups]
        self.average = [g.master.clone() for g in weights.groups] if optim.ema else None

    def advance(self, gradients: list[Tensor], lrs: Sequence[float]) -> None:
        """Take one step with these flat gradients; `lrs` are the base rates, one for each `pacing`."""
        for (rows, groups), lr in zip(self.pacing, lrs, strict=True):
            flat = zip(groups, self.weights.masters, gradients, self.slots, strict=True)
            for group, weights, gradient, slots in flat:
                own = {name: slot[rows] for name, slot in slots.items()}
                rate = lr * group.lr_scale
                self.optim.optimizer.step(weights[rows], gradient[rows], own, self.step, rate, group.weight_decay)
        self.step += 1
        if self.average is not None:
            # a young average would remember the initial weights: its memory grows with the steps taken
            decay = min(self.optim.ema or 0.0, (1 + self.step) / (10 + self.step))
            for average, master in zip(self.average, self.weights.masters, strict=True):
                average.lerp_(master, 1 - decay)

    def compute_with_evaluated(self) -> None:
        """Let the learner compute with the weights that are evaluated: the moving average if there is one."""
        self.weights.compute_with(self.average or self.weights.masters)

    def finite(self) -> list[bool]:
        """For every run, whether all its weights are finite numbers."""
        rows = torch.stack([master.isfinite().all(dim=1) for master in self.weights.masters])
        return rows.all(dim=0).tolist()

    def evaluated(self, run: int) -> dict[str, Tensor]:
        """The weights of one run that are evaluated, by parameter name."""
        return self._named(self.average or self.weights.masters, run)

    def tensors(self, run: int) -> dict[str, Tensor]:
        """Everything else of one run, for a checkpoint: `exp_avg.blocks.0.…`, and the raw weights beside an average."""
        named: dict[str, Tensor] = {}
        for slot in self.optim.optimizer.slots:
            flats = [slots[slot] for slots in self.slots]
            named |= {f"{slot}.{name}": view for name, view in self._named(flats, run).items()}
        if self.average is not None:
            named |= {f"weights.{name}": view for name, view in self._named(self.weights.masters, run).items()}
        return named

    def begin_with(self, run: int, tensors: Mapping[str, Tensor]) -> None:
        """Start one run, its average included, with these weights; what is not named stays as it is."""
        for flats in (self.weights.masters, *([self.average] if self.average else [])):
            for name, view in self._named(flats, run).items():
                if name in tensors:
                    view.copy_(tensors[name])

    def evaluate_with(self, run: int, tensors: Mapping[str, Tensor]) -> None:
        """Have one run evaluated with these weights, by name, where its training has ended."""
        for name, view in self.evaluated(run).items():
            view.copy_(tensors[name])

    def restore(self, run: int, evaluated: Mapping[str, Tensor], tensors: Mapping[str, Tensor], step: int) -> None:
        """Put back what `evaluated` and `tensors` gave. Raises KeyError for a name that is missing."""
        for mine, theirs in ((self.evaluated(run), evaluated), (self.tensors(run), tensors)):
            for name, view in mine.items():
                view.copy_(theirs[name])
        self.step = step

    def _named(self, flats: list[Tensor], run: int) -> dict[str, Tensor]:
        groups = zip(self.weights.groups, flats, strict=True)
        return {name: view[run] for group, flat in groups for name, view in group.views(flat).items()}
