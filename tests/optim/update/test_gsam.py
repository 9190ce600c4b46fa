import pytest
import torch

from tests.optim.update.conftest import whole
from vitlab.base.errors import SpecError
from vitlab.optim.update import gsam, sam


@pytest.mark.parametrize("rates", [[0.5, 0.5], [1.0, 0.0]])
def test_it_climbs_what_is_orthogonal_to_the_worst_gradient(loss_of, rates):
    """Against the equations, written with vectors; each run with the radius of its own rate."""
    loss = loss_of(1.0, 0.3)
    found = gsam.Spec(rho_max=0.3, rho_min=0.1, alpha=0.7).gradient(loss.gradient, loss.weights, rates)
    for run, rate in enumerate(rates):
        worst = loss.slope(run, loss.worst(run, 0.1 + 0.2 * rate))
        clean = whole(loss.at(loss.start), run)
        orthogonal = clean - (clean @ worst) / (worst @ worst) * worst
        assert abs(orthogonal @ worst) < 1e-10
        assert orthogonal.norm() > 0.1
        torch.testing.assert_close(whole(found, run), worst - 0.7 * orthogonal, rtol=1e-10, atol=1e-12)
    assert all(torch.equal(*each) for each in zip(loss.weights, loss.start, strict=True))


def test_with_one_radius_and_no_climbing_it_is_sam(loss_of):
    ours, theirs = loss_of(1.0, 0.3), loss_of(1.0, 0.3)
    found = gsam.Spec(rho_max=0.2, rho_min=0.2, alpha=0.0).gradient(ours.gradient, ours.weights, [0.3, 0.9])
    expected = sam.Spec(rho=0.2).gradient(theirs.gradient, theirs.weights, [0.3, 0.9])
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rho_min": 0.7}, r"rho_min=0\.7 and rho_max=0\.6"),
        ({"rho_min": -0.1}, r"rho_min=-0\.1 and rho_max=0\.6"),
        ({"alpha": -1.0}, r"alpha=-1\.0: must not be negative"),
    ],
)
def test_what_cannot_be_is_refused(settings, message):
    with pytest.raises(SpecError, match=message):
        gsam.Spec(**settings)
