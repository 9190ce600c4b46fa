"""What all MLPs have in common: biases, a norm before the last layer, a width that is cut off."""

import pytest
import torch
from torch import nn

from vitlab.base.spec import component_names
from vitlab.models.spec import ViTSpec
from vitlab.nn.mlp import gelu, swiglu

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("name", component_names("vitlab.nn.mlp"))
def test_biases_are_there_or_not(name, tiny_spec):
    for bias in (True, False):
        dims = tiny_spec(mlp=name, mlp_bias=bias).dims()
        layers = [layer for layer in dims.mlp.build(dims).modules() if isinstance(layer, nn.Linear)]
        assert {layer.bias is not None for layer in layers} == {bias}


@pytest.mark.peer
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_with_a_norm_it_is_timms(approximate, tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs = timm.Mlp(16, 32, act_layer=lambda: nn.GELU(approximate), norm_layer=nn.LayerNorm, bias=False)
    theirs.norm.eps = 1e-6
    ours, x = gelu.Spec(approximate).build(tiny_dims(scale_mlp_norm=True, mlp_bias=False)), normal(2, 3, 16)
    ours.load_state_dict(randomise(theirs).state_dict())
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)


@pytest.mark.peer
def test_a_gated_one_is_timms_with_its_norm(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs = randomise(timm.SwiGLU(16, 32, norm_layer=nn.LayerNorm))
    theirs.norm.eps = 1e-6
    ours, x = swiglu.Spec().build(tiny_dims(scale_mlp_norm=True)), normal(2, 3, 16)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("width", "ratio", "expected"), [(896, 2.572, 2304), (1408, 48 / 11, 6144), (48, 64 / 48, 64)])
def test_the_width_is_cut_off_and_loses_nothing_by_rounding(width, ratio, expected):
    assert ViTSpec(embed_dim=width, num_heads=4, mlp_ratio=ratio).dims().mlp_dim == expected
