import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.nn.kinds import parameter_kinds
from vitlab.nn.norm import tanh

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_the_written_equation(normal, randomise):
    norm, x = randomise(tanh.Spec().build(8)), normal(2, 3, 8) * 3
    e = (2 * norm.alpha * x).exp()
    torch.testing.assert_close(norm(x), norm.weight * (e - 1) / (e + 1) + norm.bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 0.8])
def test_it_starts_as_tanh_of_alpha_x(alpha, normal):
    x = normal(2, 3, 8)
    torch.testing.assert_close(tanh.Spec(alpha=alpha).build(8)(x), (alpha * x).tanh(), rtol=0, atol=1e-14)
    assert tanh.Spec().alpha == 0.5


def test_its_parameters_are_a_norms(tiny_spec):
    from vitlab.models.vit import build

    assert parameter_kinds(tanh.Spec().build(8)) == {"alpha": "norm", "weight": "norm", "bias": "norm"}
    norm = build(tiny_spec(norm="tanh")).norm  # and no initialisation touches them
    assert norm.alpha.tolist() == [0.5]
    assert norm.weight.eq(1).all()
    assert norm.bias.eq(0).all()


def test_a_channel_is_normalised_on_its_own(normal, randomise):
    norm, x = randomise(tanh.Spec().build(8)), normal(2, 8)
    changed = x.clone()
    changed[:, 0] += 100
    assert torch.equal(norm(changed)[:, 1:], norm(x)[:, 1:])


@pytest.mark.parametrize("alpha", [0.0, -0.5])
def test_an_alpha_that_turns_it_off_or_around_is_refused(alpha):
    with pytest.raises(SpecError, match=rf"norm\.alpha={alpha}: must be positive"):
        tanh.Spec(alpha=alpha)
