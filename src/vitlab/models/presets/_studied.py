"""The models of the reference studies (R0, R1, R3, R4; docs/reproductions.md has their rows). R2's are timm's."""

from typing import Any

# What the authors' code leaves to PyTorch: R0 says so, for R3 and R4's first model it is inferred
_TORCH_NORM = {"name": "layer", "eps": 1e-5}
_UNIT_NORMAL = {"token_std": 1.0, "position_std": 1.0, "position_cut": False}  # cls and positions from N(0, 1)

# R0: 32 × 32 images in patches of 4, PyTorch's default initialisation, no bias on q, k and v
_R0: dict[str, Any] = {
    "img_size": [32, 32],
    "patch_size": [4, 4],
    "num_classes": 10,
    "embed_dim": 192,
    "depth": 9,
    "num_heads": 12,
    "mlp_ratio": 2.0,
    "qkv_bias": False,
    "norm": _TORCH_NORM,
    "init": "torch_default",
}


def r0() -> dict[str, dict[str, Any]]:
    """ViT, TomViT, the eight-way ablation, what SL-ViT and GPSA change, and TomViT's auto-encoders."""
    presets = _eight_ways()
    vit, tomvit = presets["r0_ttt"], presets["r0_fff"]
    xavier = {"init": {"name": "xavier_normal", "fused_qkv": True, **_UNIT_NORMAL}}
    spt, lsa = {"patch_embed": "spt"}, {"attention": "lsa"}
    tables = tomvit | spt | {"auxiliary": "decoder"}  # inferred: what adds exactly the printed 636,579 parameters
    return presets | {
        "r0_vit": vit,
        "r0_tomvit": tomvit,
        "r0_vaswani": vit | {"init": "xavier_uniform"},  # inferred
        "r0_spt": vit | xavier | spt,
        "r0_lsa": vit | xavier | lsa,
        "r0_sl": vit | xavier | spt | lsa,
        "r0_gpsa": vit | {"attention": "gpsa"},
        "r0_tomvit_ae": tomvit | {"auxiliary": "auto_encoder"},
        "r0_tomvit_ae_tables": tables,
        "r0_tomvit_ae_xavier": tables | {"init": "xavier_uniform"},
        "r0_vit_base": {"qkv_bias": False, "norm": _TORCH_NORM, "init": "torch_default"} | _BASE_16,
    }


def _eight_ways() -> dict[str, dict[str, Any]]:
    """To keep (t) or drop (f) the cls token, the final norm and learned positions."""
    presets = {}
    for letters in ("ttt", "ttf", "tft", "tff", "ftt", "ftf", "fft", "fff"):
        has_cls, has_norm, has_positions = (letter == "t" for letter in letters)
        presets[f"r0_{letters}"] = _R0 | {
            "cls_token": has_cls,
            "pool": "cls" if has_cls else "mean",
            "final_norm": "before_pool" if has_norm else "none",
            "pos_embed": "learned" if has_positions else "sincos2d",
        }
    return presets


_BASE_16: dict[str, Any] = {
    "img_size": [224, 224],
    "patch_size": [16, 16],
    "embed_dim": 768,
    "depth": 12,
    "num_heads": 12,
    "mlp_ratio": 4.0,
}


def r1() -> dict[str, dict[str, Any]]:
    """The ViT of setting 1, for CIFAR-100 enlarged to 72 × 72. Setting 2 is `vit_base_patch16_384:100`."""
    return {
        "r1_vit": _BASE_16
        | {
            "img_size": [72, 72],
            "patch_size": [6, 6],
            "num_classes": 100,
            "qkv_bias": False,
            "embed_dropout": 0.1,
            "mixer_dropout": 0.1,
            "mlp_dropout": 0.1,
            "init": {"name": "torch_default", **_UNIT_NORMAL},
        }
    }


def r3() -> dict[str, dict[str, Any]]:
    """nanovit's three: patches and softmax, pixels and linear attention, convolved pixels and linear attention."""
    width = 128
    common: dict[str, Any] = {
        "img_size": [32, 32],
        "patch_size": [2, 2],
        "num_classes": 10,
        "embed_dim": width,
        "depth": 4,
        "num_heads": 8,
        "mlp_ratio": 4.0,
        "block": "nanovit",
        "mlp": "relu",
        "norm": _TORCH_NORM,
        "final_norm": "after_pool",  # part of the head: a norm and a linear layer on cls
        "mlp_dropout": 0.1,
        "init": {"name": "torch_default", **_UNIT_NORMAL},
    }
    linear = {"attention": "linear", "qkv_bias": False, "proj_bias": False}
    return {
        "r3_vit": common | {"attention": {"name": "softmax", "scale": width**-0.5}},  # of the full width, not a head's
        "r3_vitl": common | linear | {"patch_embed": "pixels"},
        "r3_vitx": common | linear | {"patch_embed": "pixel_cnn"},
    }


def r4() -> dict[str, dict[str, Any]]:
    """Of the ViT paper's experiments: the input, positions, the transformer's shape; and GSAM's sizes."""
    return (
        {"r4_vit": _BASE_16 | {"qkv_bias": False, "norm": _TORCH_NORM}} | _positions() | _shapes() | _pools() | _gsam()
    )


def _positions() -> dict[str, dict[str, Any]]:
    presets = {"r4_pos_none": _BASE_16 | {"pos_embed": "none"}}
    for short, table in (("1d", "learned"), ("2d", "learned_2d")):
        for suffix, place in (("", "stem"), ("_layers", "every_layer"), ("_shared", "every_layer_shared")):
            presets[f"r4_pos_{short}{suffix}"] = _BASE_16 | {"pos_embed": {"name": table, "place": place}}
    return presets | {"r4_pos_relative": _BASE_16 | {"pos_embed": "relative"}}


def _shapes() -> dict[str, dict[str, Any]]:
    base = _BASE_16 | {"patch_size": [32, 32], "embed_dim": 1024, "depth": 8, "num_heads": 16, "mlp_ratio": 2.0}
    changes: dict[str, dict[str, Any]] = {
        **{f"depth{depth}": {"depth": depth} for depth in (16, 64)},
        "width": {"embed_dim": 2048, "num_heads": 32, "mlp_ratio": 1.0},  # an MLP of 2,048 as before
        "mlp": {"mlp_ratio": 4.0},
        "patch": {"patch_size": [16, 16]},
    }
    return {"r4_shape_base": base} | {f"r4_shape_{name}": base | change for name, change in changes.items()}


def _pools() -> dict[str, dict[str, Any]]:
    """Figure 9's two: a class token, or the mean of the patches and none (inferred)."""
    return {"r4_pool_cls": _BASE_16, "r4_pool_mean": _BASE_16 | {"cls_token": False, "pool": "mean"}}


def _gsam() -> dict[str, dict[str, Any]]:
    """Mean pooling and no cls token (inferred); the head's bias is that of AugReg's sigmoid loss (inferred)."""
    presets = {}
    for size, width, heads in (("s", 384, 6), ("b", 768, 12)):
        for patch in (32, 16):
            presets[f"r4_gsam_{size}{patch}"] = _BASE_16 | {
                "patch_size": [patch, patch],
                "embed_dim": width,
                "num_heads": heads,
                "cls_token": False,
                "pool": "mean",
                "init": {"name": "trunc_normal", "head_bias": -6.9},
            }
    return presets
