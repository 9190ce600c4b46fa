"""Adam with decoupled weight decay (arXiv 1711.05101, algorithm 2, in PyTorch's convention: decay is lr · wd · w).

m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², w = w - lr·wd·w - lr · m̂ / (√v̂ + eps), both moments corrected for their start.
"""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.optim.optimizer._adam import AdamSpec


@dataclass(frozen=True)
class Spec(AdamSpec):
    """Adam's settings."""

    decoupled: ClassVar[bool] = True
