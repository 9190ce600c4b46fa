import pytest
import torch

from vitlab.nn.norm import layer

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("eps", [1e-6, 0.3])
def test_it_is_the_written_equation(eps, normal, randomise):
    norm, x = randomise(layer.Spec(eps=eps).build(8)), normal(2, 3, 8) + 5
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, correction=0, keepdim=True)
    expected = (x - mean) / (variance + eps).sqrt() * norm.weight + norm.bias
    torch.testing.assert_close(norm(x), expected, rtol=0, atol=1e-12)
