import pytest
import torch
from scipy import stats

from vitlab.models.vit import build

SIZES = {"embed_dim": 64, "num_classes": 100, "init": "jax"}


def is_uniform(matrix, fan_in, fan_out):
    limit = (6 / (fan_in + fan_out)) ** 0.5
    values = matrix.detach().flatten() / limit
    return values.abs().max() <= 1 and stats.kstest(values, "uniform", (-1, 2)).pvalue > 1e-3


def is_lecun(weight, fan_in):
    """Of variance 1/fan_in, cut at twice the standard deviation that it had before the cut."""
    raw = weight.detach().flatten() * fan_in**0.5 * stats.truncnorm(-2, 2).std()
    return raw.abs().max() <= 2 + 1e-6 and stats.kstest(raw, stats.truncnorm(-2, 2).cdf).pvalue > 1e-3


def test_attention_is_xavier_uniform_matrix_by_matrix_and_has_no_bias_to_begin_with(tiny_spec):
    attn = build(tiny_spec(**SIZES)).blocks[1].attn
    assert all(is_uniform(matrix, 64, 64) for matrix in (*attn.qkv.weight.chunk(3), attn.proj.weight))
    assert not is_uniform(attn.qkv.weight, 64, 192)
    assert attn.qkv.bias.eq(0).all()
    assert attn.proj.bias.eq(0).all()


def test_the_mlp_is_xavier_uniform_with_the_smallest_of_biases(tiny_spec):
    mlp = build(tiny_spec(**SIZES)).blocks[0].mlp
    assert is_uniform(mlp.fc1.weight, 64, 128)
    assert is_uniform(mlp.fc2.weight, 128, 64)
    for bias in (mlp.fc1.bias, mlp.fc2.bias):
        assert stats.kstest(bias.detach() / 1e-6, "norm").pvalue > 1e-3


def test_convolutions_and_the_tanh_layer_have_flaxs_default(tiny_spec):
    model = build(tiny_spec(head="mlp", **SIZES))
    assert is_lecun(model.patch_embed.proj.weight, 48)
    assert is_lecun(model.head.pre_logits.weight, 64)
    assert model.patch_embed.proj.bias.eq(0).all()
    assert model.head.pre_logits.bias.eq(0).all()
    stem = build(tiny_spec(patch_embed="conv_stem", **SIZES)).patch_embed.stem
    assert is_lecun(stem[3].weight, 32 * 9)


@pytest.mark.parametrize("head_bias", [None, -6.9])
@pytest.mark.parametrize(("head", "last"), [("linear", "head"), ("linear", "head_dist"), ("mlp", "head.logits")])
def test_the_heads_last_layer_begins_at_zero(head, last, head_bias, tiny_spec):
    settings = SIZES | {"init": {"name": "jax", "head_bias": head_bias}}
    layer = build(tiny_spec(head=head, dist_token=True, **settings)).get_submodule(last)
    assert layer.weight.eq(0).all()
    assert torch.equal(layer.bias, torch.full((100,), head_bias or 0.0))


def test_tokens_are_zero_and_positions_normal_without_a_cut(tiny_spec):
    model = build(tiny_spec(**(SIZES | {"img_size": 64, "patch_size": 2})))
    assert model.cls_token.eq(0).all()
    assert stats.kstest(model.pos_embed.weight.detach().flatten() / 0.02, "norm").pvalue > 1e-3


def test_registers_do_not_begin_equal(tiny_spec):
    """Without positions, equal ones would have the same gradient at every step."""
    first, second = build(tiny_spec(num_registers=2, pos_embed="none", init="jax")).reg_token[0]
    assert 0 < (first - second).abs().max() < 1e-5


def test_attention_pooling_begins_as_a_block_does(tiny_spec):
    pool = build(tiny_spec(pool="attention", **SIZES)).pool
    assert all(is_uniform(matrix, 64, 64) for matrix in (pool.q.weight, *pool.kv.weight.chunk(2), pool.proj.weight))
    assert is_uniform(pool.mlp.fc1.weight, 64, 128)
    assert 0 < pool.mlp.fc1.bias.abs().max() < 1e-5


@pytest.mark.peer
def test_its_spreads_are_those_of_timms_jax_initialisation(tiny_spec):
    """All but qkv's, which timm draws as one matrix."""
    vit = pytest.importorskip("timm.models.vision_transformer")
    sizes = {"img_size": 32, "patch_size": 4, "embed_dim": 192, "depth": 1, "num_classes": 5}
    ours = build(tiny_spec(**sizes, num_heads=3, mlp_ratio=4.0, init={"name": "jax", "head_bias": -2.0}))
    theirs = vit.VisionTransformer(**sizes, num_heads=3)
    torch.manual_seed(0)
    for name, module in theirs.named_modules():
        vit.init_weights_vit_jax(module, name, head_bias=-2.0)
    for place in ("patch_embed.proj", "blocks.0.attn.proj", "blocks.0.mlp.fc1", "blocks.0.mlp.fc2"):
        a, b = (model.get_submodule(place) for model in (ours, theirs))
        assert a.weight.std().item() == pytest.approx(b.weight.std().item(), rel=0.02)
        assert a.weight.abs().max().item() == pytest.approx(b.weight.abs().max().item(), rel=0.01)
        assert a.bias.std().item() == pytest.approx(b.bias.std().item(), rel=0.25)
    assert torch.equal(ours.head.weight, theirs.head.weight)
    assert torch.equal(ours.head.bias, theirs.head.bias)
