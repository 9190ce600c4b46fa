"""No positions: patches are a set. With cls or mean pooling the logits then ignore the order of the patches."""

from dataclasses import dataclass

from vitlab.nn.dims import BlockDims
from vitlab.nn.pos_embed._base import AtStem, PosEmbed, PosEmbedSpec


@dataclass(frozen=True)
class Spec(PosEmbedSpec):
    """No settings."""

    def build(self, dims: BlockDims) -> PosEmbed:
        return AtStem()
