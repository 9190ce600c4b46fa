"""The contract of a schedule: the learning rate of every step, a pure function.

All have a linear warm-up and a minimum; a variant gives the shape in between, from 1 to 0 over the steps after the
warm-up. `per="epoch"` holds the rate still within an epoch, as recipes that call their scheduler once an epoch do.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component


@dataclass(frozen=True)
class ScheduleSpec(Component):
    """`warmup_steps` or `warmup_epochs` (not both) from `warmup_lr` to the base rate, then the shape to `min_lr`."""

    family: ClassVar[str] = "vitlab.optim.schedule"
    warmup_steps: int = 0
    warmup_epochs: float = 0.0
    warmup_lr: float = 0.0
    min_lr: float = 0.0
    per: Literal["step", "epoch"] = "step"

    def __post_init__(self) -> None:
        if self.warmup_steps and self.warmup_epochs:
            raise SpecError(f"warmup_steps={self.warmup_steps} and warmup_epochs={self.warmup_epochs}: set one of them")
        if min(self.warmup_steps, self.warmup_epochs, self.warmup_lr, self.min_lr) < 0:
            raise SpecError("a schedule's warm-up and rates must not be negative")

    def shape(self, progress: float, epoch: float) -> float:
        """The factor between min_lr (0) and the base rate (1); `progress` runs from 0 to 1 after the warm-up."""
        raise NotImplementedError

    def share(self, base: float, rate: float) -> float:
        """Where a rate is between `min_lr`, 0, and the base rate, 1; a warm-up may begin below, which is 0 too."""
        return min(max((rate - self.min_lr) / (base - self.min_lr), 0.0), 1.0) if base > self.min_lr else 1.0

    def lr(self, base: float, step: int, steps: int, steps_per_epoch: float) -> float:
        """The rate of step `step`, counted from 0, of `steps`."""
        at = (step // steps_per_epoch) * steps_per_epoch if self.per == "epoch" else step
        warmup = self.warmup_steps or self.warmup_epochs * steps_per_epoch
        if at < warmup:
            return self.warmup_lr + (base - self.warmup_lr) * at / warmup
        progress = (at - warmup) / max(steps - warmup, 1)
        return self.min_lr + (base - self.min_lr) * self.shape(min(progress, 1.0), at / steps_per_epoch)
