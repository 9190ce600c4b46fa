import pytest
import torch

from vitlab.nn.norm import rms

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_it_is_the_written_equation(eps, normal, randomise):
    norm, x = randomise(rms.Spec(eps=eps).build(8)), normal(2, 3, 8) + 5
    expected = x / ((x * x).mean(-1, keepdim=True) + eps).sqrt() * norm.weight
    torch.testing.assert_close(norm(x), expected, rtol=0, atol=1e-12)


def test_it_has_a_weight_and_no_bias():
    assert [name for name, _ in rms.Spec().build(8).named_parameters()] == ["weight"]
