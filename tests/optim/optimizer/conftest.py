"""How a rule is held to PyTorch's optimiser: the same gradients, double precision, run by run."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from vitlab.optim.optimizer._base import OptimizerSpec

RUNS, WIDTH, STEPS = 3, 7, 20


def _gradient(weights: Tensor, step: int) -> Tensor:
    """Of a bowl that moves: it depends on the weights and on the step, and is not small."""
    return 3 * weights + torch.sin(torch.arange(weights.numel(), dtype=torch.float64).view_as(weights) + step)


@pytest.fixture
def trained_by_rule() -> Callable[..., Tensor]:
    """`trained_by_rule(rule, decay)`: three stacked rows of weights after twenty steps with a changing rate."""

    def train(rule: OptimizerSpec, weight_decay: float) -> Tensor:
        weights = _start()
        slots = {name: torch.zeros_like(weights) for name in rule.slots}
        for step in range(STEPS):
            gradient = torch.stack([_gradient(row, step) for row in weights])
            given = gradient.clone()
            rule.step(weights, gradient, slots, step, lr=_lr(step), weight_decay=weight_decay)
            assert torch.equal(gradient, given), "a rule must leave the gradient alone"
        return weights

    return train


@pytest.fixture
def trained_by_torch() -> Callable[..., Tensor]:
    """`trained_by_torch(torch.optim.SGD, …)`: the same, one row after the other."""

    def train(optimiser: type[torch.optim.Optimizer], **settings: float | bool | tuple[float, float]) -> Tensor:
        rows = []
        for row in _start():
            weights = nn.Parameter(row.clone())
            optim = optimiser([weights], lr=1.0, **settings)
            for step in range(STEPS):
                optim.param_groups[0]["lr"] = _lr(step)
                weights.grad = _gradient(weights.detach(), step)
                optim.step()
            rows.append(weights.detach())
        return torch.stack(rows)

    return train


def _start() -> Tensor:
    return torch.randn(RUNS, WIDTH, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def _lr(step: int) -> float:
    return 0.03 / (1 + step)
