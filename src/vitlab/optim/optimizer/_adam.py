"""Adam and AdamW: PyTorch's fused kernel on flat tensors. They differ in where weight decay acts."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.optim.adam import adam

from vitlab.base.errors import SpecError
from vitlab.optim.optimizer._base import OptimizerSpec


@dataclass(frozen=True)
class AdamSpec(OptimizerSpec):
    """`beta1`, `beta2`: the moments' memories; `eps`: added to √v̂."""

    slots: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")
    decoupled: ClassVar[bool]  # whether weight decay bypasses the moments
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise SpecError(f"optim.optimizer.{name}={getattr(self, name)}: must be at least 0 and below 1")
        if self.eps <= 0:
            raise SpecError(f"optim.optimizer.eps={self.eps}: must be positive")

    def step(
        self, weights: Tensor, gradient: Tensor, slots: dict[str, Tensor], count: int, lr: float, weight_decay: float
    ) -> None:
        adam(
            [weights],
            [gradient],
            [slots["exp_avg"]],
            [slots["exp_avg_sq"]],
            max_exp_avg_sqs=[],
            state_steps=[torch.full((), float(count), device=weights.device)],
            fused=True,
            amsgrad=False,
            beta1=self.beta1,
            beta2=self.beta2,
            lr=lr,
            weight_decay=weight_decay,
            eps=self.eps,
            maximize=False,
            decoupled_weight_decay=self.decoupled,
        )
