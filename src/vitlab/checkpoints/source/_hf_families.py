"""Families of transformers' vision transformers: what each has in its config.json, and what it always is.

Sources: the modules `configuration_*` and `modeling_*` of transformers 5.23.
"""

from collections.abc import Mapping
from typing import NamedTuple

from vitlab.checkpoints.source._hf_config import (
    ATTENTION_POOL,
    BIASES,
    DINOV2_MLP,
    DINOV3_MLP,
    PICTURE,
    SQUARE_PATCHES,
    SQUARE_PICTURE,
    TWO_LAYERS,
    Part,
    Settings,
)


class Family(NamedTuple):
    """`model_types`: what config.json calls the tower, and a model around it. `defaults`: of the configuration class;
    `fields`: its plain values -> our settings; `parts`: the others; `settings`: what all its models have.
    """

    model_types: tuple[str, ...]
    defaults: Settings
    parts: tuple[Part, ...]
    fields: Mapping[str, str]
    settings: Settings = {}


_SIZES = {
    "hidden_size": "embed_dim",
    "num_hidden_layers": "depth",
    "num_attention_heads": "num_heads",
    "num_channels": "in_chans",
    "layer_norm_eps": "norm.eps",
}
_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "num_channels": 3}
_WIDE = _BASE | {"intermediate_size": 3072, "image_size": 224, "patch_size": 16}
_VIT = _WIDE | {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "qkv_bias": True}
_DINOV2 = _BASE | {
    "image_size": 224,
    "mlp_ratio": 4.0,
    "hidden_act": "gelu",
    "use_swiglu_ffn": False,
    "layer_norm_eps": 1e-6,
    "qkv_bias": True,
    "layerscale_value": 1.0,
}
_SIGLIP = _WIDE | {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6, "vision_use_head": True}
_DINOV3_POSITIONS = {"name": "rope2d", "coordinates": "picture", "first": "y", "pairs": "halves"}

FAMILIES = {
    "vit": Family(("vit",), _VIT, (PICTURE, TWO_LAYERS), _SIZES | {"qkv_bias": "qkv_bias"}),
    "deit": Family(("deit",), _VIT, (PICTURE, TWO_LAYERS), _SIZES | {"qkv_bias": "qkv_bias"}),
    "dinov2": Family(
        ("dinov2",),
        _DINOV2 | {"patch_size": 14},
        (SQUARE_PICTURE, DINOV2_MLP),
        _SIZES | {"qkv_bias": "qkv_bias", "layerscale_value": "layer_scale"},
    ),
    "dinov2_with_registers": Family(
        ("dinov2_with_registers",),
        _DINOV2 | {"patch_size": 16, "num_register_tokens": 4},
        (SQUARE_PICTURE, DINOV2_MLP),
        _SIZES | {"qkv_bias": "qkv_bias", "layerscale_value": "layer_scale", "num_register_tokens": "num_registers"},
        {"pos_embed": {"name": "learned", "registers": False}},
    ),
    "dinov3_vit": Family(
        ("dinov3_vit",),
        {
            "hidden_size": 384,
            "num_hidden_layers": 12,
            "num_attention_heads": 6,
            "num_channels": 3,
            "intermediate_size": 1536,
            "hidden_act": "gelu",
            "use_gated_mlp": False,
            "layer_norm_eps": 1e-5,
            "image_size": 224,
            "patch_size": 16,
            "rope_theta": 100.0,
            "num_register_tokens": 0,
            "query_bias": True,
            "key_bias": False,
            "value_bias": True,
            "proj_bias": True,
            "mlp_bias": True,
            "layerscale_value": 1.0,
        },
        (PICTURE, DINOV3_MLP, BIASES),
        {
            **_SIZES,
            "num_register_tokens": "num_registers",
            "layerscale_value": "layer_scale",
            "proj_bias": "proj_bias",
            "mlp_bias": "mlp_bias",
            "rope_theta": "pos_embed.temperature",
        },
        {"pos_embed": _DINOV3_POSITIONS},
    ),
    "clip": Family(
        ("clip_vision_model", "clip"),
        _WIDE | {"patch_size": 32, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
        (SQUARE_PICTURE, TWO_LAYERS),
        _SIZES,
        {"norm_pre": True, "patch_embed": {"name": "linear", "bias": False}},
    ),
    "siglip": Family(
        ("siglip_vision_model", "siglip"),
        _SIGLIP,
        (SQUARE_PICTURE, TWO_LAYERS, ATTENTION_POOL),
        _SIZES,
        {"cls_token": False},
    ),
    "siglip2": Family(
        ("siglip2_vision_model", "siglip2"),
        _SIGLIP | {"num_patches": 256},
        (SQUARE_PATCHES, TWO_LAYERS, ATTENTION_POOL),
        _SIZES,
        {"cls_token": False},
    ),
}
