"""Adam (arXiv 1412.6980, algorithm 1). Weight decay, if any, is added to the gradient; see `adamw` for the other way.

g = g + wd·w, m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g², w = w - lr · m̂ / (√v̂ + eps).
"""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.optim.optimizer._adam import AdamSpec


@dataclass(frozen=True)
class Spec(AdamSpec):
    """Adam's settings."""

    decoupled: ClassVar[bool] = False
