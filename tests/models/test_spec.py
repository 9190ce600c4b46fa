"""Every combination that makes no sense is refused when the spec is made, and the message names both settings."""

import pytest

from vitlab.base.errors import SpecError
from vitlab.models.spec import broken_rules

REFUSED = [
    # settings, what the message must name
    ({"patch_size": 5}, ["patch_size=5", "img_size=8", "rows", "legal: 1, 2, 4, 8"]),
    ({"patch_size": [4, 5]}, ["patch_size=5", "img_size=12", "columns"]),
    ({"patch_size": 0}, ["patch_size=0", "img_size=8"]),
    ({"patch_size": -4}, ["patch_size=-4", "img_size=8"]),
    ({"img_size": 0}, ["patch_size=4", "img_size=0"]),
    ({"patch_size": 24}, ["patch_size=24", "img_size=8"]),
    ({"num_heads": 3}, ["num_heads=3", "embed_dim=16", "legal: 1, 2, 4, 8, 16", "head_dim"]),
    ({"num_heads": 0}, ["num_heads=0", "positive"]),
    ({"head_dim": 0}, ["head_dim=0", "positive"]),
    ({"embed_dim": 0}, ["embed_dim=0", "positive"]),
    ({"depth": 0}, ["depth=0", "positive"]),
    ({"in_chans": -1}, ["in_chans=-1", "positive"]),
    ({"num_classes": -1}, ["num_classes=-1", "positive"]),
    ({"mlp_ratio": 0.0}, ["mlp_ratio=0.0", "positive"]),
    ({"mlp_ratio": 0.01}, ["mlp_ratio=0.01", "embed_dim=16"]),
    ({"num_registers": -1}, ["num_registers=-1", "from 0 to"]),
    ({"drop_path": 1.0}, ["drop_path=1.0", "below 1"]),
    ({"embed_dropout": -0.1}, ["embed_dropout=-0.1", "at least 0"]),
    ({"mixer_dropout": 1.5}, ["mixer_dropout=1.5"]),
    ({"mlp_dropout": 1.0}, ["mlp_dropout=1.0"]),
    (
        {"pos_embed": "relative_bias", "attention": "linear"},
        ["pos_embed=relative_bias", "attention=linear", "softmax"],
    ),
    ({"pos_embed": "relative_bias", "attention": "performer"}, ["pos_embed=relative_bias", "attention=performer"]),
    ({"pos_embed": "relative_bias", "attention": "nystrom"}, ["pos_embed=relative_bias", "attention=nystrom"]),
    ({"pos_embed": "relative_bias", "attention": "linformer"}, ["pos_embed=relative_bias", "attention=linformer"]),
    (
        {"attention": "lsa", "patch_size": [8, 12], "cls_token": False, "pool": "mean"},
        ["attention=lsa", "patch_size=(8, 12)", "img_size=(8, 12)", "prefix token"],
    ),
    ({"pos_embed": "relative_bias", "mixer": "identity"}, ["pos_embed=relative_bias", "mixer=identity"]),
    (
        {"pos_embed": "rope2d", "mixer": "identity"},
        ["pos_embed=rope2d", "mixer=identity", "with: differential, self_attention"],
    ),
    ({"pos_embed": "rope2d", "head_dim": 6}, ["pos_embed=rope2d", "head_dim", "6"]),
    ({"pos_embed": "rope2d", "num_heads": 8}, ["pos_embed=rope2d", "head_dim", "2", "embed_dim / num_heads"]),
    ({"pos_embed": "sincos2d", "embed_dim": 18}, ["pos_embed=sincos2d", "embed_dim", "18"]),
    ({"pos_embed": "sincos", "embed_dim": 15, "num_heads": 1}, ["pos_embed=sincos", "even embed_dim", "15"]),
    ({"pos_embed": "learned_2d", "embed_dim": 15, "num_heads": 1}, ["pos_embed=learned_2d", "even embed_dim", "15"]),
    ({"pos_embed": "relative", "attention": "linear"}, ["pos_embed=relative", "attention=linear"]),
    ({"pos_embed": "relative", "mixer": "identity"}, ["pos_embed=relative", "mixer=identity"]),
    ({"pos_embed": "alibi2d", "attention": "linear"}, ["pos_embed=alibi2d", "attention=linear"]),
    ({"pos_embed": "alibi2d", "mixer": "identity"}, ["pos_embed=alibi2d", "mixer=identity"]),
    ({"head": "cosine", "init": {"name": "torch_default", "head_bias": -6.9}}, ["init.head_bias=-6.9", "head=cosine"]),
    ({"head": "cosine", "init": "jax"}, ["init.zero_head=True", "head=cosine", "init.zero_head=False"]),
    ({"pool": "cls", "cls_token": False}, ["pool=cls", "cls_token=False", "without: attention, mean"]),
    (
        {"patch_embed": "conv_stem", "img_size": 64, "patch_size": 64},
        ["patch_embed=conv_stem", "embed_dim", "patch_size"],
    ),
    ({"patch_embed": {"name": "overlapping", "kernel": 4}}, ["patch_embed.kernel=4", "odd"]),
    ({"patch_embed": {"name": "overlapping", "kernel": -3}}, ["patch_embed.kernel=-3", "positive"]),
    ({"patch_embed": {"name": "overlapping", "kernel": 3}}, ["patch_embed.kernel=3", "patch_size=4", "from 5"]),
    ({"patch_embed": "spt", "patch_size": 1}, ["patch_embed=spt", "patch_size=(1, 1)", "at least 2"]),
    ({"patch_embed": "spt", "patch_size": [4, 1]}, ["patch_embed=spt", "patch_size=(4, 1)"]),
    ({"patch_embed": {"name": "pixel_cnn", "widths": [8, 0]}}, ["patch_embed.widths=(8, 0)", "positive"]),
    ({"patch_embed": {"name": "resnet", "stages": []}}, ["patch_embed.stages=()", "at least one"]),
    ({"patch_embed": {"name": "resnet", "stages": [1, 0]}}, ["patch_embed.stages=(1, 0)", "positive"]),
    ({"patch_embed": {"name": "resnet", "norm_eps": -1.0}}, ["patch_embed.norm_eps=-1.0", "negative"]),
    ({"patch_embed": {"name": "resnet", "stages": [1, 1]}}, ["stages=(1, 1)", "stride of 8", "patch_size=(4, 4)"]),
    ({"patch_embed": "resnet", "patch_size": [4, 6]}, ["patch_embed=resnet", "patch_size=(4, 6)", "multiples of 4"]),
    ({"auxiliary": {"name": "auto_encoder", "weight": -1.0}}, ["auxiliary.weight=-1.0", "negative"]),
    ({"auxiliary": "auto_encoder", "patch_size": [4, 2]}, ["auxiliary=auto_encoder", "patch_size=(4, 2)", "2, 4, 8"]),
    ({"auxiliary": "auto_encoder", "patch_size": 1}, ["auxiliary=auto_encoder", "patch_size=(1, 1)"]),
    ({"auxiliary": "decoder", "patch_embed": "pixels"}, ["auxiliary=decoder", "patch_embed=pixels", "with: conv_stem"]),
    ({"auxiliary": "decoder", "img_size": 12, "patch_size": 6}, ["auxiliary=decoder", "patch_size=(6, 6)"]),
    ({"mixer": "differential", "num_heads": 1}, ["mixer=differential", "num_heads=1", "even"]),
    ({"mixer": "differential", "attention": "linear", "pos_embed": "relative_bias"}, ["relative_bias", "linear"]),
    ({"mixer": "token_mlp", "embed_dim": 1, "num_heads": 1}, ["mixer=token_mlp", "mixer.hidden", "embed_dim=1"]),
    ({"mixer": "token_mlp", "pos_embed": "rope2d"}, ["pos_embed=rope2d", "mixer=token_mlp"]),
    ({"mixer": {"name": "token_mlp", "hidden": 0}}, ["mixer.hidden=0", "positive"]),
    ({"mixer": {"name": "pooling", "size": 2}}, ["mixer.size=2", "odd"]),
    ({"mixer": {"name": "pooling", "size": -1}}, ["mixer.size=-1", "positive"]),
    ({"attention": {"name": "gpsa", "locality_strength": -1.0}}, ["attention.locality_strength=-1.0", "negative"]),
]


@pytest.mark.parametrize(
    ("settings", "named"), REFUSED, ids=lambda value: str(value) if isinstance(value, dict) else ""
)
def test_what_does_not_fit_is_refused_by_name(settings, named, tiny_spec):
    with pytest.raises(SpecError) as caught:
        tiny_spec(**settings)
    message = str(caught.value)
    assert [part for part in named if part not in message] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"num_heads": 3, "head_dim": 8},
        {"pos_embed": "rope2d", "attention": "linear"},
        {"pos_embed": "learned", "mixer": "identity"},
        {"pos_embed": "sincos2d", "attention": "linear"},
        {"pos_embed": "sincos", "embed_dim": 18, "attention": "linear"},
        {"head": "cosine", "init": {"name": "jax", "zero_head": False}},
        {"pool": "mean_logits", "cls_token": False},
        {"pos_embed": "relative_bias", "attention": "lsa"},
        {"attention": "lsa", "patch_size": [8, 12]},
        {"pool": "mean", "cls_token": False},
        {"pool": "mean", "cls_token": True},
        {"pool": "attention", "cls_token": False},
        {"mixer": "differential", "attention": "linear", "pos_embed": "rope2d"},
        {"mixer": {"name": "token_mlp", "hidden": 1}, "embed_dim": 1, "num_heads": 1},
        {"mixer": "fft", "attention": "linear", "pos_embed": "learned"},
        {"drop_path": 0.99},
        {"patch_size": [8, 12]},
        {"patch_embed": {"name": "overlapping", "kernel": 5}},
        {"patch_embed": "pixels", "patch_size": 5},
        {"patch_embed": {"name": "resnet", "stages": [1, 1]}, "img_size": 16, "patch_size": [8, 16]},
        {"auxiliary": "auto_encoder", "patch_size": 2},
    ],
    ids=str,
)
def test_what_fits_is_not_refused(settings, tiny_spec):
    assert list(broken_rules(tiny_spec(**settings))) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"depth": 100_000}, "depth=100000: at most 1,000"),
        ({"embed_dim": 2**21, "num_heads": 8}, "embed_dim=2097152: at most 1,048,576"),
        ({"mlp_ratio": 1e30}, r"mlp_ratio=1e\+30: at most 1,000"),
        ({"num_classes": 2**40}, "num_classes=1099511627776: at most 16,777,216"),
        ({"num_registers": 2**30}, "num_registers=1073741824: must be from 0 to 1,048,576"),
        ({"img_size": 2**17, "patch_size": 2}, r"img_size=\[131072, 131072\]: at most 65,536 pixels a side"),
        ({"img_size": 2**14, "patch_size": 2}, r"img_size=.*: 67,108,864 patches of \[2, 2\], and at most 1,048,576"),
    ],
)
def test_a_model_that_nobody_means_is_refused_before_anything_is_built(tiny_spec, settings, said):
    with pytest.raises(SpecError, match=said):
        tiny_spec(**settings)
