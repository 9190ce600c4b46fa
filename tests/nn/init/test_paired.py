"""What every initialisation promises: a parameter is a function of the seed and its name, and of nothing else."""

import pytest
import torch
from scipy import stats

from vitlab.base.spec import component_names
from vitlab.models.vit import ViT, build
from vitlab.nn.init._base import initialise

INITS = component_names("vitlab.nn.init")


def shared(first, second):
    a, b = dict(first.named_parameters()), dict(second.named_parameters())
    return {name: (a[name], b[name]) for name in a.keys() & b.keys() if a[name].shape == b[name].shape}


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize(
    "changed",
    [{"attention": "linear"}, {"cls_token": False, "pool": "mean"}, {"depth": 5}, {"block": "post_norm"}],
)
def test_models_that_share_a_part_start_with_the_same_weights_in_it(init, changed, tiny_spec):
    one, other = build(tiny_spec(init=init), seed=3), build(tiny_spec(init=init, **changed), seed=3)
    parts = shared(one, other)
    assert {"patch_embed.proj.weight", "blocks.1.attn.qkv.weight", "blocks.1.mlp.fc2.bias", "head.weight"} <= set(parts)
    assert all(torch.equal(a, b) for a, b in parts.values())


@pytest.mark.parametrize("init", INITS)
def test_another_seed_draws_other_weights_and_no_two_parts_share_theirs(init, tiny_spec):
    one, other = build(tiny_spec(init=init), seed=3), build(tiny_spec(init=init), seed=4)
    zero = {"head.weight"} if one.spec.init.zero_head else set()
    weights = {
        name: pair for name, pair in shared(one, other).items() if name.endswith("weight") and "norm" not in name
    }
    drawn = {name: pair for name, pair in weights.items() if name not in zero}
    assert not any(torch.equal(a, b) for a, b in drawn.values())
    assert not torch.equal(one.blocks[0].attn.qkv.weight, one.blocks[1].attn.qkv.weight)


@pytest.mark.parametrize("init", INITS)
def test_the_draw_leaves_the_global_generator_alone_and_ignores_it(init, tiny_spec):
    model = ViT(tiny_spec(init=init))
    before = torch.get_rng_state()
    initialise(model, model.spec.init, seed=0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    again = build(tiny_spec(init=init), seed=0)
    assert all(torch.equal(a, b) for a, b in shared(model, again).values())


@pytest.mark.parametrize("init", INITS)
def test_double_precision_starts_from_the_same_weights(init, tiny_spec):
    single, double = ViT(tiny_spec(init=init)), ViT(tiny_spec(init=init)).double()
    initialise(single, single.spec.init, seed=0)
    initialise(double, double.spec.init, seed=0)
    assert all(torch.equal(a.double(), b) for a, b in shared(single, double).values())


@pytest.mark.parametrize("init", INITS)
def test_norms_and_scales_stay_as_they_were_built(init, tiny_spec):
    model = build(tiny_spec(init=init, layer_scale=0.1))
    assert model.norm.weight.eq(1).all()
    assert model.norm.bias.eq(0).all()
    assert model.blocks[0].ls1.gamma.eq(0.1).all()


@pytest.mark.parametrize("init", INITS)
def test_tokens_and_positions_have_the_spread_they_are_given(init, tiny_spec):
    settings = {"name": init, "token_std": 0.5, "position_std": 0.3}
    model = build(tiny_spec(init=settings, num_registers=64, img_size=32, patch_size=2))
    assert model.reg_token.std().item() == pytest.approx(0.5, rel=0.1)
    assert model.pos_embed.weight.std().item() == pytest.approx(0.3, rel=0.05)
    assert model.reg_token.mean().abs() < 0.05
    assert build(tiny_spec(init=init)).cls_token.abs().max() < 1e-5


def test_positions_may_be_drawn_without_a_cut(tiny_spec):
    """N(0, 1), as R1 and R3 draw them: one in twenty lies beyond ±2, where the cut ends."""
    sizes = {"img_size": 64, "patch_size": 2, "embed_dim": 16, "depth": 1}
    cut, whole = (
        build(tiny_spec(**sizes, init={"name": "torch_default", "position_std": 1.0, "position_cut": kind}))
        for kind in (True, False)
    )
    assert cut.pos_embed.weight.abs().max() <= 2
    values = whole.pos_embed.weight.detach().flatten()
    assert stats.kstest(values, "norm").pvalue > 1e-3


def test_the_heads_bias_may_begin_where_it_is_told(tiny_spec):
    spec = tiny_spec(init={"name": "torch_default", "head_bias": -6.9})
    told, drawn = build(spec), build(tiny_spec(init="torch_default"))
    assert told.head.bias.tolist() == pytest.approx([-6.9] * 5)
    assert torch.equal(told.head.weight, drawn.head.weight)
    assert torch.equal(told.blocks[0].mlp.fc1.bias, drawn.blocks[0].mlp.fc1.bias)


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize(("head", "last"), [("linear", "head"), ("mlp", "head.logits"), ("linear", "head_dist")])
def test_any_heads_last_layer_begins_where_it_is_told(head, last, init, tiny_spec):
    told = {"name": init, "head_bias": -6.9, "zero_head": True}
    model = build(tiny_spec(init=told, head=head, dist_token=True))
    layer = model.get_submodule(last)
    assert layer.weight.eq(0).all()
    assert layer.bias.tolist() == pytest.approx([-6.9] * 5)
    if head == "mlp":
        assert model.head.pre_logits.weight.ne(0).all()
    drawn = build(tiny_spec(init={"name": init, "zero_head": False}, head=head, dist_token=True)).get_submodule(last)
    assert drawn.weight.ne(0).all()
