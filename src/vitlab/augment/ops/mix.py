"""Mixup and CutMix: an image and its target are mixed with those of a partner (arXiv 1710.09412, 1905.04899).

Both are one formula. A share of each pixel is the image's own, the rest is its partner's: the share is λ everywhere for
Mixup, and 0 inside a rectangle and 1 outside for CutMix. The target's share is the mean of the pixels' shares, which is
λ for Mixup, and for CutMix λ corrected for the part of the rectangle that the image's border cuts off.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from scipy.special import betaincinv
from torch import Tensor

from vitlab.augment.ops._base import BatchOp, Pair
from vitlab.rng import bits, uniform

QUANTILES = 4097


@cache
def quantile_table(alpha: float, device: torch.device) -> Tensor:
    """[QUANTILES + 1]: the quantiles of Beta(alpha, alpha) at evenly spaced probabilities, the last one twice."""
    values = betaincinv(alpha, alpha, np.linspace(0, 1, QUANTILES))
    return torch.tensor([*values, 1.0], dtype=torch.float32, device=device)


def beta_quantile(u: Tensor, alpha: float) -> Tensor:
    """u [...] in [0, 1] -> the quantiles of Beta(alpha, alpha), linear in between the table's. Nothing is rejected."""
    table = quantile_table(alpha, u.device)
    place = u * (QUANTILES - 1)
    below = place.long()
    return torch.lerp(table[below], table[below + 1], place - below)


@dataclass(frozen=True)
class Spec(BatchOp):
    """`prob`: how often samples are mixed at all; `switch`: how often that is by CutMix.

    `mixup_alpha`, `cutmix_alpha`: λ is from Beta(alpha, alpha), and 0 leaves that one out. `per`: one decision and one
    λ for the batch, or for each sample.
    """

    prob: float = 0.5
    mixup_alpha: float = 0.8
    cutmix_alpha: float = 1.0
    switch: float = 0.5
    per: Literal["batch", "sample"] = "batch"

    def __post_init__(self) -> None:
        """Refuse settings that cannot be."""
        self.need_probability("prob")
        self.need_probability("switch")
        self.need(self.mixup_alpha >= 0, "mixup_alpha", "at least 0")
        self.need(self.cutmix_alpha >= 0, "cutmix_alpha", "at least 0")

    @property
    def idle(self) -> bool:
        """No sample is mixed."""
        return self.prob == 0 or self.mixup_alpha == self.cutmix_alpha == 0

    @property
    def unused(self) -> tuple[str, ...]:
        """Where only one of the two ways is open, there is no choice between them, and the other's alpha is idle."""
        if self.mixup_alpha == 0 or self.cutmix_alpha == 0:
            return ("switch",)
        if self.switch in (0, 1):
            return ("mixup_alpha",) if self.switch else ("cutmix_alpha",)
        return ()

    def partners(self, keys: Tensor) -> Tensor:
        """The next one on a random cycle through the whole batch."""
        cycle = bits(keys, "augment.mix.partner", 1)[..., 0].argsort(dim=1, stable=True)
        return torch.empty_like(cycle).scatter_(1, cycle, cycle.roll(-1, dims=1))

    def shares(self, keys: Tensor, rows: int, columns: int) -> Tensor:
        """[R, b] -> [R, b, H, W]: how much of each pixel is the image's own."""
        mixed, cut, u, top, left = uniform(keys, "augment.mix", 5)[..., None, None].unbind(2)  # [R, b, 1, 1] each
        if self.cutmix_alpha == 0:
            own = beta_quantile(u, self.mixup_alpha)
        elif self.mixup_alpha == 0:
            own = self.outside(u, top, left, rows, columns)
        else:
            outside = self.outside(u, top, left, rows, columns)
            own = torch.where(cut < self.switch, outside, beta_quantile(u, self.mixup_alpha))
        return torch.where(mixed < self.prob, own, 1.0).expand(-1, -1, rows, columns)

    def outside(self, u: Tensor, top: Tensor, left: Tensor, rows: int, columns: int) -> Tensor:
        """Uniform numbers [R, b, 1, 1] -> [R, b, H, W]: 0 inside CutMix's rectangle, 1 outside."""
        side = (1 - beta_quantile(u, self.cutmix_alpha)).sqrt()
        y = torch.arange(rows, device=u.device)[:, None] - (top * rows).floor()  # from the rectangle's centre
        x = torch.arange(columns, device=u.device) - (left * columns).floor()
        half_y, half_x = (side * rows / 2).floor(), (side * columns / 2).floor()
        inside = (y >= -half_y) & (y < half_y) & (x >= -half_x) & (x < half_x)
        return 1 - inside.to(u.dtype)

    def apply(self, images: Pair, targets: Pair, keys: Tensor, batch_keys: Tensor) -> tuple[Tensor, Tensor]:
        if self.idle:
            return images.own, targets.own
        rows, columns = images.own.shape[-2:]
        own = self.shares(keys if self.per == "sample" else batch_keys, rows, columns)
        own_target = own.mean((-2, -1))[..., None].to(targets.own.dtype)  # [R, b or 1, 1]
        mixed = torch.lerp(images.partner, images.own, own[:, :, None].to(images.own.dtype))
        return mixed, torch.lerp(targets.partner, targets.own, own_target)
