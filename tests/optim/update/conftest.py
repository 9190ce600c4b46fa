"""A loss whose gradient is known: quartic, so that no two places have the same."""

import pytest
import torch


class Loss:
    """Of R runs, each with its own scale: scale · Σ w⁴ + Σ w over two groups, and where its gradient was asked for."""

    def __init__(self, scales):
        generator = torch.Generator().manual_seed(0)
        self.scales = torch.tensor(scales, dtype=torch.float64)[:, None]
        self.weights = [torch.randn(len(scales), count, generator=generator, dtype=torch.float64) for count in (3, 2)]
        self.start = [each.clone() for each in self.weights]
        self.buffers = [torch.empty_like(each) for each in self.weights]  # one memory for all calls, as in training
        self.asked = []

    def at(self, weights):
        return [4 * self.scales * each**3 + 1 for each in weights]

    def gradient(self):
        self.asked.append([each.clone() for each in self.weights])
        for buffer, value in zip(self.buffers, self.at(self.weights), strict=True):
            buffer.copy_(value)
        return self.buffers

    def worst(self, run, rho):
        """The weights of one run at a distance ρ along its gradient, as one vector."""
        start, gradient = (torch.cat([each[run] for each in parts]) for parts in (self.start, self.at(self.start)))
        return start + rho * gradient / gradient.norm()

    def slope(self, run, weights):
        """The gradient of one run at a vector of weights."""
        return 4 * self.scales[run] * weights**3 + 1


@pytest.fixture
def loss_of():
    """`loss_of(1.0, 0.5)`: two runs."""
    return lambda *scales: Loss(list(scales))


def whole(parts, run):
    """One run's numbers of all groups, as one vector."""
    return torch.cat([each[run] for each in parts])
