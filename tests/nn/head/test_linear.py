import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.nn.head import linear

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_w_x_plus_b(tiny_dims, normal, randomise):
    head, x = randomise(linear.Spec().build(tiny_dims())), normal(2, 16)
    torch.testing.assert_close(head(x), x @ head.weight.T + head.bias, rtol=0, atol=1e-12)
    assert head.weight.shape == (5, 16)


def test_it_can_do_without_b(tiny_dims, normal, randomise):
    head, x = randomise(linear.Spec(bias=False).build(tiny_dims())), normal(2, 16)
    torch.testing.assert_close(head(x), x @ head.weight.T, rtol=0, atol=1e-12)
    assert head.bias is None


def test_a_head_without_b_cannot_begin_with_one(tiny_spec):
    settings = {"head": {"name": "linear", "bias": False}, "init": {"name": "trunc_normal", "head_bias": -6.9}}
    with pytest.raises(SpecError, match=r"head_bias=-6\.9: this head=linear has no bias; heads that may: linear, mlp"):
        tiny_spec(**settings)
