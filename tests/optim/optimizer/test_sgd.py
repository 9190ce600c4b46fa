import pytest
import torch

from vitlab.optim.optimizer import sgd


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_twenty_steps_equal_torch(trained_by_rule, trained_by_torch, momentum, nesterov, weight_decay):
    ours = trained_by_rule(sgd.Spec(momentum=momentum, nesterov=nesterov), weight_decay)
    theirs = trained_by_torch(torch.optim.SGD, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)


def test_by_hand():
    """w = 2, g = 1, momentum .5, rate .1: u = 1, 1.5 and w = 1.9, 1.75."""
    weights, slots = torch.tensor([[2.0]]), {"momentum_buffer": torch.zeros(1, 1)}
    seen = []
    for step in range(2):
        sgd.Spec(momentum=0.5).step(weights, torch.ones(1, 1), slots, step, lr=0.1, weight_decay=0.0)
        seen.append(weights.item())
    assert seen == pytest.approx([1.9, 1.75])
