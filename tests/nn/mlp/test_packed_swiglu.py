import pytest
import torch
from torch import nn

from vitlab.base.errors import SpecError
from vitlab.models.spec import ViTSpec
from vitlab.nn.mlp import packed_swiglu, swiglu

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_swiglu_of_half_the_width_with_one_matrix(tiny_dims, normal, randomise):
    packed, x = randomise(packed_swiglu.Spec().build(tiny_dims())), normal(2, 3, 16)
    gated = swiglu.Spec().build(tiny_dims(mlp_ratio=1.0))
    state = {"fc2.weight": packed.fc2.weight, "fc2.bias": packed.fc2.bias}
    for name, tensor in packed.fc1.named_parameters():
        state[f"fc1_g.{name}"], state[f"fc1_x.{name}"] = tensor.chunk(2)
    gated.load_state_dict(state)
    torch.testing.assert_close(packed(x), gated(x), rtol=0, atol=1e-12)
    assert packed.fc1.parts == 2  # an initialisation knows that they are two


def test_an_odd_width_is_refused(tiny_dims):
    with pytest.raises(SpecError, match="mlp_ratio makes it 63, which must be even"):
        ViTSpec(embed_dim=48, num_heads=4, mlp_ratio=63 / 48, mlp=packed_swiglu.Spec())


@pytest.mark.peer
def test_it_is_timms_with_the_same_weights(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs, x = randomise(timm.GluMlp(16, 32, act_layer=nn.SiLU, gate_last=False)), normal(2, 3, 16)
    ours = packed_swiglu.Spec().build(tiny_dims())
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)
