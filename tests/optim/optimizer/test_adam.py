import pytest
import torch

from vitlab.optim.optimizer import adam


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.8, 0.95), 1e-3)])
def test_twenty_steps_equal_torch(trained_by_rule, trained_by_torch, betas, eps, weight_decay):
    ours = trained_by_rule(adam.Spec(beta1=betas[0], beta2=betas[1], eps=eps), weight_decay)
    theirs = trained_by_torch(torch.optim.Adam, betas=betas, eps=eps, weight_decay=weight_decay)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)


def test_decay_goes_through_the_moments(trained_by_rule, trained_by_torch):
    """The one difference from AdamW, and a large one."""
    ours = trained_by_rule(adam.Spec(), 0.3)
    decoupled = trained_by_torch(torch.optim.AdamW, weight_decay=0.3)
    assert (ours - decoupled).abs().max() > 1e-3
