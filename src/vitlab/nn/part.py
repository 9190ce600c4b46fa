"""`PartSpec`: what the settings of every part of the model share."""

from dataclasses import dataclass
from typing import Self

from torch import Tensor

from vitlab.base.spec import Component
from vitlab.nn.dims import BlockDims
from vitlab.nn.resizing import Resizing


@dataclass(frozen=True)
class PartSpec(Component):
    """A part of the model: a component that may find that it cannot serve a model of certain sizes."""

    def conflict(self, dims: BlockDims) -> str | None:
        """Why it cannot serve a model of these sizes, naming both settings and what would be legal; None if it can."""
        return None

    def adapted(self, before: BlockDims, after: BlockDims) -> Self:
        """The settings for a model that was trained as `before` and goes on as `after`, of another size."""
        return self

    def resized(self, name: str, tensor: Tensor, before: BlockDims, after: BlockDims, resizing: Resizing) -> Tensor:
        """One of its tensors, by its name inside of the part, trained as `before`, to go on as `after`; as it is where
        sizes do not matter to it.
        """
        return tensor
