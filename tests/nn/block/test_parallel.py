import pytest
import torch

from vitlab.nn.block import parallel
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("layer_scale", [None, 0.1])
def test_both_branches_start_from_the_same_normalised_tensor(layer_scale, tiny_dims, normal, randomise):
    block, x = randomise(parallel.Spec().build(tiny_dims(layer_scale=layer_scale))), normal(2, 7, 16)
    first, second = (1.0, 1.0) if layer_scale is None else (block.ls1.gamma, block.ls2.gamma)
    normed = block.norm1(x)
    y = x + first * block.attn(normed, PosEmbed()) + second * block.mlp(normed)
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)


def test_it_has_one_norm(tiny_dims):
    names = dict(parallel.Spec().build(tiny_dims()).named_parameters())
    assert {name for name in names if name.startswith("norm")} == {"norm1.weight", "norm1.bias"}


@pytest.mark.peer
def test_it_is_timms_parallel_scaling_block(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.vision_transformer")
    theirs = randomise(timm.ParallelScalingBlock(16, num_heads=2, mlp_ratio=2.0, qkv_bias=True))
    theirs.in_norm.eps = 1e-6
    ours, x = parallel.Spec().build(tiny_dims()), normal(2, 7, 16)
    of_mlp, of_qkv = (32, 48)  # their first layers are one matrix
    (fc1, qkv), (fc1_bias, qkv_bias) = (t.split((of_mlp, of_qkv)) for t in (theirs.in_proj.weight, theirs.in_proj.bias))
    state = {"attn.qkv.weight": qkv, "attn.qkv.bias": qkv_bias, "mlp.fc1.weight": fc1, "mlp.fc1.bias": fc1_bias}
    for name, layer in {"norm1": "in_norm", "attn.proj": "attn_out_proj", "mlp.fc2": "mlp_out_proj"}.items():
        state |= {f"{name}.{key}": value for key, value in theirs.get_submodule(layer).state_dict().items()}
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-12)


def test_joint_branches_have_one_layer_scale_and_one_drop_path(tiny_dims, normal, randomise):
    dims = tiny_dims(layer_scale=0.1, drop_path=0.5)
    block, x = randomise(parallel.Spec(joint=True).build(dims)), normal(2, 7, 16)
    normed = block.norm1(x)
    y = x + block.ls1.gamma * (block.attn(normed, PosEmbed()) + block.mlp(normed))
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)
    assert not {name for name in dict(block.named_modules()) if name in ("ls2", "drop_path2")}


@pytest.mark.peer
def test_jointly_it_is_timms_with_its_layer_scale(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.vision_transformer")
    theirs = randomise(timm.ParallelScalingBlock(16, num_heads=2, mlp_ratio=2.0, qk_norm=True, init_values=0.1))
    for norm in (theirs.in_norm, theirs.q_norm, theirs.k_norm):
        norm.eps = 1e-6
    dims = tiny_dims(layer_scale=0.1, qkv_bias=False, qk_norm=True)
    ours, x = parallel.Spec(joint=True).build(dims), normal(2, 7, 16)
    fc1, qkv = theirs.in_proj.weight.split((32, 48))
    state = {
        "attn.qkv.weight": qkv,
        "mlp.fc1.weight": fc1,
        "mlp.fc1.bias": theirs.mlp_bias,
        "ls1.gamma": theirs.ls.gamma,
    }
    named = {"norm1": "in_norm", "attn.proj": "attn_out_proj", "mlp.fc2": "mlp_out_proj"}
    for name, layer in {**named, "attn.q_norm": "q_norm", "attn.k_norm": "k_norm"}.items():
        state |= {f"{name}.{key}": value for key, value in theirs.get_submodule(layer).state_dict().items()}
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-12)
