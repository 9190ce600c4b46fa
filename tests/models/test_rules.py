"""Every combination that makes no sense is refused when the spec is made, and the message names both settings."""

import pytest

from vitlab.base.errors import SpecError
from vitlab.models.rules import broken

REFUSED = [
    # settings, what the message must name
    ({"patch_size": 5}, ["patch_size=5", "img_size=8", "rows"]),
    ({"patch_size": [4, 5]}, ["patch_size=5", "img_size=12", "columns"]),
    ({"patch_size": 0}, ["patch_size=0", "img_size=8"]),
    ({"patch_size": -4}, ["patch_size=-4", "img_size=8"]),
    ({"img_size": 0}, ["patch_size=4", "img_size=0"]),
    ({"patch_size": 24}, ["patch_size=24", "img_size=8"]),
    ({"num_heads": 3}, ["num_heads=3", "embed_dim=16", "head_dim"]),
    ({"num_heads": 0}, ["num_heads=0", "positive"]),
    ({"head_dim": 0}, ["head_dim=0", "positive"]),
    ({"embed_dim": 0}, ["embed_dim=0", "positive"]),
    ({"depth": 0}, ["depth=0", "positive"]),
    ({"in_chans": -1}, ["in_chans=-1", "positive"]),
    ({"num_classes": 0}, ["num_classes=0", "positive"]),
    ({"mlp_ratio": 0.0}, ["mlp_ratio=0.0", "positive"]),
    ({"mlp_ratio": 0.01}, ["mlp_ratio=0.01", "embed_dim=16"]),
    ({"num_registers": -1}, ["num_registers=-1", "negative"]),
    ({"drop_path": 1.0}, ["drop_path=1.0", "below 1"]),
    ({"embed_dropout": -0.1}, ["embed_dropout=-0.1", "at least 0"]),
    ({"mixer_dropout": 1.5}, ["mixer_dropout=1.5"]),
    ({"mlp_dropout": 1.0}, ["mlp_dropout=1.0"]),
    ({"pos_embed": "relative_bias", "attention": "linear"}, ["pos_embed=relative_bias", "attention=linear"]),
    ({"pos_embed": "relative_bias", "attention": "performer"}, ["pos_embed=relative_bias", "attention=performer"]),
    ({"pos_embed": "relative_bias", "attention": "nystrom"}, ["pos_embed=relative_bias", "attention=nystrom"]),
    ({"pos_embed": "relative_bias", "attention": "linformer"}, ["pos_embed=relative_bias", "attention=linformer"]),
    (
        {"attention": "lsa", "patch_size": [8, 12], "cls_token": False, "pool": "mean"},
        ["attention=lsa", "patch_size=(8, 12)", "img_size=(8, 12)", "prefix token"],
    ),
    ({"pos_embed": "relative_bias", "mixer": "identity"}, ["pos_embed=relative_bias", "mixer=identity"]),
    ({"pos_embed": "rope2d", "mixer": "identity"}, ["pos_embed=rope2d", "mixer=identity"]),
    ({"pos_embed": "rope2d", "head_dim": 6}, ["pos_embed=rope2d", "head_dim", "6"]),
    ({"pos_embed": "rope2d", "num_heads": 8}, ["pos_embed=rope2d", "head_dim", "2", "embed_dim / num_heads"]),
    ({"pos_embed": "sincos2d", "embed_dim": 18}, ["pos_embed=sincos2d", "embed_dim", "18"]),
    ({"pool": "cls", "cls_token": False}, ["pool=cls", "cls_token=False"]),
    (
        {"patch_embed": "conv_stem", "img_size": 64, "patch_size": 64},
        ["patch_embed=conv_stem", "embed_dim", "patch_size"],
    ),
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
        {"pos_embed": "relative_bias", "attention": "lsa"},
        {"attention": "lsa", "patch_size": [8, 12]},
        {"pool": "mean", "cls_token": False},
        {"pool": "mean", "cls_token": True},
        {"pool": "attention", "cls_token": False},
        {"drop_path": 0.99},
        {"patch_size": [8, 12]},
    ],
    ids=str,
)
def test_what_fits_is_not_refused(settings, tiny_spec):
    assert list(broken(tiny_spec(**settings))) == []
