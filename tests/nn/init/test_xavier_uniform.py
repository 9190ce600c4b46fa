import pytest
from scipy import stats

from vitlab.models.vit import build

SIZES = {"embed_dim": 64, "num_classes": 100}


def bound(fan_in, fan_out):
    return (6 / (fan_in + fan_out)) ** 0.5


@pytest.mark.parametrize(
    ("place", "fan_in", "fan_out"),
    [("blocks.0.attn.proj", 64, 64), ("blocks.1.mlp.fc2", 128, 64), ("patch_embed.proj", 48, 64), ("head", 64, 100)],
)
def test_a_matrix_is_uniform_by_both_its_fans_and_its_bias_zero(place, fan_in, fan_out, tiny_spec):
    layer = build(tiny_spec(init="xavier_uniform", **SIZES)).get_submodule(place)
    limit = bound(fan_in, fan_out)
    assert 0.99 * limit < layer.weight.abs().max() <= limit
    assert stats.kstest(layer.weight.detach().flatten() / limit, "uniform", (-1, 2)).pvalue > 1e-3
    assert layer.bias.eq(0).all()


@pytest.mark.parametrize("pool", ["cls", "attention"])
@pytest.mark.parametrize("fused", [False, True])
def test_q_k_and_v_are_matrices_of_their_own_unless_they_count_as_one(fused, pool, tiny_spec):
    model = build(tiny_spec(init={"name": "xavier_uniform", "fused_qkv": fused}, pool=pool, **SIZES))
    layers = [model.blocks[0].attn.qkv, *([model.pool.kv] if pool == "attention" else [])]
    for layer in layers:
        limit = bound(64, 64 * layer.parts if fused else 64)
        for matrix in layer.weight.chunk(layer.parts):
            assert 0.99 * limit < matrix.abs().max() <= limit
            assert stats.kstest(matrix.detach().flatten() / limit, "uniform", (-1, 2)).pvalue > 1e-3
