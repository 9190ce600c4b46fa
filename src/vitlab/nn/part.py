"""`PartSpec`: what the settings of every part of the model share."""

from dataclasses import dataclass

from vitlab.base.spec import Component
from vitlab.nn.dims import BlockDims


@dataclass(frozen=True)
class PartSpec(Component):
    """A part of the model: a component that may find that it cannot serve a model of certain sizes."""

    def conflict(self, dims: BlockDims) -> str | None:
        """Why it cannot serve a model of these sizes, naming both settings and what would be legal; None if it can."""
        return None
