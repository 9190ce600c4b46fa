import pytest
import torch

from vitlab.optim.optimizer import adamw


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.8, 0.95), 1e-3)])
def test_twenty_steps_equal_torch(trained_by_rule, trained_by_torch, betas, eps, weight_decay):
    ours = trained_by_rule(adamw.Spec(beta1=betas[0], beta2=betas[1], eps=eps), weight_decay)
    theirs = trained_by_torch(torch.optim.AdamW, betas=betas, eps=eps, weight_decay=weight_decay)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)


def test_first_step_by_hand():
    """The first step is the rate times the gradient's sign, whatever its size, and decay is lr · wd · w."""
    weights, gradient = torch.tensor([[2.0, -3.0]]), torch.tensor([[1e-3, -50.0]])
    slots = {name: torch.zeros(1, 2) for name in adamw.Spec().slots}
    adamw.Spec().step(weights, gradient, slots, 0, lr=0.1, weight_decay=0.5)
    expected = torch.tensor([[2.0 - 0.1 * 0.5 * 2.0 - 0.1, -3.0 + 0.1 * 0.5 * 3.0 + 0.1]])
    torch.testing.assert_close(weights, expected, rtol=0, atol=2e-6)
