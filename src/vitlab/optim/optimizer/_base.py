"""The contract of an optimizer: from weights and their gradient to new weights, in place, element by element.

An optimizer sees flat tensors [R, P]: R runs of P parameters that share a learning rate and a weight decay. Because it
works element by element, a stacked run takes exactly the step that it would take alone.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.base.spec import Component


@dataclass(frozen=True)
class OptimizerSpec(Component):
    """An optimizer's settings. `slots` names the tensors it keeps, each shaped like the weights and zero at first."""

    family: ClassVar[str] = "vitlab.optim.optimizer"
    slots: ClassVar[tuple[str, ...]] = ()

    def step(
        self, weights: Tensor, gradient: Tensor, slots: dict[str, Tensor], count: int, lr: float, weight_decay: float
    ) -> None:
        """Change `weights` and `slots` in place; `count` steps were taken before this one."""
        raise NotImplementedError
