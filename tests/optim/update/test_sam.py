import pytest
import torch

from tests.optim.update.conftest import whole
from vitlab.base.errors import SpecError
from vitlab.optim.update import sam


def test_the_step_is_taken_with_the_gradient_of_the_worst_weights_nearby(loss_of):
    """Each run's own; the norm goes over both groups; and the weights are what they were, to the bit."""
    loss = loss_of(1.0, 0.3, 2.0)
    found = sam.Spec(rho=0.1).gradient(loss.gradient, loss.weights, [1.0] * 3)
    for run in range(3):
        torch.testing.assert_close(whole(loss.asked[1], run), loss.worst(run, 0.1), rtol=1e-12, atol=0)
        torch.testing.assert_close(whole(found, run), loss.slope(run, loss.worst(run, 0.1)), rtol=1e-12, atol=0)
    assert len(loss.asked) == 2
    assert all(torch.equal(*each) for each in zip(loss.weights, loss.start, strict=True))


def test_a_radius_of_zero_is_ordinary_training(loss_of):
    loss = loss_of(1.0)
    found = sam.Spec(rho=0.0).gradient(loss.gradient, loss.weights, [1.0])
    assert all(torch.equal(*each) for each in zip(found, loss.at(loss.start), strict=True))


def test_a_gradient_of_zero_moves_nothing(loss_of):
    weights = [torch.ones(1, 2)]
    (found,) = sam.Spec().gradient(lambda: [torch.zeros(1, 2)], weights, [1.0])
    assert torch.equal(found, torch.zeros(1, 2))
    assert torch.equal(weights[0], torch.ones(1, 2))


def test_a_negative_radius_is_refused():
    with pytest.raises(SpecError, match=r"optim\.update\.rho=-0\.1: must not be negative"):
        sam.Spec(rho=-0.1)
