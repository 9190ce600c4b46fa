"""The weights of R runs of one structure, flat.

Every parameter group is one tensor [R, P]: R runs of P numbers. So an optimiser's step, clipping, averaging and the
cast to the compute precision are a few passes over flat memory, whatever the number of parameters and runs, and what
reduces over parameters reduces over axis 1, run by run. The model sees named views of the same memory: [*shape] for a
single run, [R, *shape] for several.

`master` holds the weights that are trained, in full precision; `working` the copy that the model computes with, the
same memory unless the compute precision is lower.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vitlab.optim.groups import Group


class Placement(NamedTuple):
    """Where the weights live and in which types. `separate`: the model computes with a copy even of the same type."""

    device: torch.device
    master: torch.dtype
    compute: torch.dtype
    separate: bool = False


Tensors = Mapping[str, Tensor]  # of one run, by name


class FlatGroup:
    """One parameter group of R runs."""

    def __init__(self, group: Group, runs: Sequence[Tensors], placement: Placement):
        self.names, self.learns = group.names, group.lr_scale > 0
        self.shapes = [runs[0][name].shape for name in self.names]
        rows = [torch.cat([tensors[name].detach().flatten() for name in self.names]) for tensors in runs]
        self.master = torch.stack(rows).to(placement.device, placement.master)
        self.working = self.master.to(placement.compute, copy=placement.separate)
        self.gradient = torch.zeros_like(self.master)

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """`flat` [R, P] as named views, [R, *shape] each."""
        pieces = flat.split([shape.numel() for shape in self.shapes], dim=1)
        named = zip(self.names, pieces, self.shapes, strict=True)
        return {name: piece.unflatten(1, shape) for name, piece, shape in named}


class Weights:
    """All parameter groups of R runs; `leaves` are what the model computes with, and the gradient is taken with respect
    to the `learning` of them. What stays as it is has none: nothing is computed back through layers below all learning.
    """

    def __init__(self, groups: Sequence[Group], runs: Sequence[Tensors], placement: Placement):
        self.runs = len(runs)
        self.groups = [FlatGroup(group, runs, placement) for group in groups]
        learning = {name for group in self.groups if group.learns for name in group.names}
        self.leaves = {
            name: nn.Parameter(self._alone(view), requires_grad=name in learning)
            for name, view in self._named("working").items()
        }
        self.learning = [leaf for name, leaf in self.leaves.items() if name in learning]
        self._targets = [self._alone(view) for name, view in self._named("gradient").items() if name in learning]

    def _named(self, kind: str) -> dict[str, Tensor]:
        return {name: view for g in self.groups for name, view in g.views(getattr(g, kind)).items()}

    def _alone(self, view: Tensor) -> Tensor:
        """[R, *shape] -> [*shape] where R is 1: a single run sees no run axis."""
        return view[0] if self.runs == 1 else view

    @property
    def masters(self) -> list[Tensor]:
        """The trained weights, [R, P] a group."""
        return [group.master for group in self.groups]

    @property
    def gradients(self) -> list[Tensor]:
        """What was collected last, [R, P] a group."""
        return [group.gradient for group in self.groups]

    def compute_with(self, flats: Sequence[Tensor]) -> None:
        """Let the learner compute with these weights, [R, P] a group: the only place that writes `working`."""
        for group, flat in zip(self.groups, flats, strict=True):
            if group.working is not flat:
                group.working.copy_(flat)

    def collect(self, gradients: Sequence[Tensor], first: bool) -> None:
        """Add the gradients of `learning`, in their order, to the flat ones; the first micro-batch replaces them."""
        if first:
            torch._foreach_copy_(self._targets, list(gradients))
        else:
            full = [g.to(t.dtype) for g, t in zip(gradients, self._targets, strict=True)]
            torch._foreach_add_(self._targets, full)
