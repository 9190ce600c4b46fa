import pytest
from scipy import stats

from vitlab.models.vit import build

SIZES = {"embed_dim": 64, "num_classes": 100}


@pytest.mark.parametrize(
    ("place", "fan_in", "fan_out"),
    [("blocks.0.attn.proj", 64, 64), ("blocks.1.mlp.fc2", 128, 64), ("patch_embed.proj", 48, 64), ("head", 64, 100)],
)
def test_a_matrix_is_normal_by_both_its_fans_and_its_bias_zero(place, fan_in, fan_out, tiny_spec):
    layer = build(tiny_spec(init="xavier_normal", **SIZES)).get_submodule(place)
    std = (2 / (fan_in + fan_out)) ** 0.5
    assert stats.kstest(layer.weight.detach().flatten() / std, "norm").pvalue > 1e-3
    assert layer.bias.eq(0).all()


@pytest.mark.parametrize(("fused", "fan_out"), [(False, 64), (True, 3 * 64)])
def test_q_k_and_v_are_matrices_of_their_own_unless_they_count_as_one(fused, fan_out, tiny_spec):
    model = build(tiny_spec(init={"name": "xavier_normal", "fused_qkv": fused}, **SIZES))
    std = (2 / (64 + fan_out)) ** 0.5
    for matrix in model.blocks[1].attn.qkv.weight.chunk(3):
        assert stats.kstest(matrix.detach().flatten() / std, "norm").pvalue > 1e-3
