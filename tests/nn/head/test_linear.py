import pytest
import torch

from vitlab.nn.head import linear

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_w_x_plus_b(tiny_dims, normal, randomise):
    head, x = randomise(linear.Spec().build(tiny_dims())), normal(2, 16)
    torch.testing.assert_close(head(x), x @ head.weight.T + head.bias, rtol=0, atol=1e-12)
    assert head.weight.shape == (5, 16)
