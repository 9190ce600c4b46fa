import pytest
import torch

from vitlab.nn.head import mlp

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize(("hidden", "width"), [(None, 16), (7, 7)])
def test_a_tanh_layer_comes_before_the_logits(hidden, width, tiny_dims, normal, randomise):
    head, x = randomise(mlp.Spec(hidden=hidden).build(tiny_dims())), normal(2, 16)
    first, second = head.pre_logits, head.logits
    assert first.weight.shape == (width, 16)
    expected = (x @ first.weight.T + first.bias).tanh() @ second.weight.T + second.bias
    torch.testing.assert_close(head(x), expected, rtol=0, atol=1e-12)
