"""The names of transformers' tensors, family by family, without what stands before those of the whole tower.

Since version 5 its classes have other names in memory than in the files that they write and read. Those of the files
stand first, which are written; the others (`model.state_dict()`) are read as well.
"""

from dataclasses import replace
from math import isqrt

from torch import Tensor

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.source._rows import Layout, Row, Tensors

Rows = tuple[Row, ...]
_BLOCK = "blocks.{i}."


def behind(prefix: str, rows: Rows) -> Rows:
    """The rows of a tower whose names stand behind a prefix."""
    return tuple(replace(row, theirs=_behind(prefix, row.theirs)) for row in rows)


def _behind(prefix: str, names: str | tuple[str | None, ...]) -> str | tuple[str | None, ...]:
    return prefix + names if isinstance(names, str) else tuple(name and prefix + name for name in names)


def _attending(layer: str, qkv: tuple[str, str, str], proj: str) -> Rows:
    return (
        Row(_BLOCK + "attn.qkv.{p}", tuple(f"{layer}{name}.{{p}}" for name in qkv)),
        Row(_BLOCK + "attn.proj.{p}", f"{layer}{proj}.{{p}}"),
    )


def _named(layer: str, **theirs: str) -> Rows:
    """Rows of a block's other parts by our names, with _ for a dot."""
    return tuple(
        Row(f"{_BLOCK}{ours.replace('_', '.')}.{{p}}", f"{layer}{name}.{{p}}") for ours, name in theirs.items()
    )


# ---------------------------------------------------------------------------------------------------- ViT, DeiT, DINOv2

_SAVED, _IN_MEMORY = "encoder.layer.{i}.", "layers.{i}."
_IN_FILES = ("attention.attention.query", "attention.attention.key", "attention.attention.value")
_PROJECTIONS = ("attention.q_proj", "attention.k_proj", "attention.v_proj")
_EMBEDDED = (
    Row("cls_token", "embeddings.cls_token"),
    Row("pos_embed.weight", "embeddings.position_embeddings"),
    Row("patch_embed.proj.{p}", "embeddings.patch_embeddings.projection.{p}"),
    Row("norm.{p}", "layernorm.{p}"),
    *_attending(_SAVED, _IN_FILES, "attention.output.dense"),
)
VIT = (
    *_EMBEDDED,
    *_named(_SAVED, norm1="layernorm_before", norm2="layernorm_after"),
    *_named(_SAVED, mlp_fc1="intermediate.dense", mlp_fc2="output.dense"),
    *_attending(_IN_MEMORY, _PROJECTIONS, "attention.o_proj"),
    *_named(_IN_MEMORY, norm1="layernorm_before", norm2="layernorm_after", mlp_fc1="mlp.fc1", mlp_fc2="mlp.fc2"),
)
DISTILLED = (*VIT, Row("dist_token", "embeddings.distillation_token"))
DISTILLED_UNREAD = (*VIT, Row("reg_token", "embeddings.distillation_token"))

_TWO_LAYERS = _named(_SAVED, mlp_fc1="mlp.fc1", mlp_fc2="mlp.fc2")
_GATED = _named(_SAVED, mlp_fc1="mlp.weights_in", mlp_fc2="mlp.weights_out")
_SCALES = (
    Row(_BLOCK + "ls1.gamma", _SAVED + "layer_scale1.lambda1"),
    Row(_BLOCK + "ls2.gamma", _SAVED + "layer_scale2.lambda1"),
)


def dinov2(gated: bool) -> Rows:
    """DINOv2's, with registers and without. Of its two MLPs, whose layers are ours by one name, first the one meant."""
    return (
        *_EMBEDDED,
        Row("reg_token", "embeddings.register_tokens"),
        *_SCALES,
        *_named(_SAVED, norm1="norm1", norm2="norm2"),
        *(_GATED + _TWO_LAYERS if gated else _TWO_LAYERS + _GATED),
        *_attending(_SAVED, _PROJECTIONS, "attention.o_proj"),
        Row(_BLOCK + "mlp.fc1.{p}", (_SAVED + "mlp.gate_proj.{p}", _SAVED + "mlp.up_proj.{p}")),
        *_named(_SAVED, mlp_fc2="mlp.down_proj"),
    )


# --------------------------------------------------------------------------------------------------------------- DINOv3


def dinov3(key_bias: bool) -> Rows:
    """DINOv3's. Whether there is a bias of keys our tensors do not tell: where there is none, ours is zero."""
    return (
        Row("cls_token", "embeddings.cls_token"),
        Row("reg_token", "embeddings.register_tokens"),
        Row("patch_embed.proj.{p}", "embeddings.patch_embeddings.{p}"),
        Row("norm.{p}", "norm.{p}"),
        *_of_dinov3("layer.{i}.", key_bias),
        *_of_dinov3("model.layer.{i}.", key_bias),
    )


def _of_dinov3(layer: str, key_bias: bool) -> Rows:
    biases = tuple(f"{layer}{name}.bias" for name in _PROJECTIONS)
    gated = (f"{layer}mlp.gate_proj.{{p}}", f"{layer}mlp.up_proj.{{p}}")
    return (
        *(() if key_bias else (Row(_BLOCK + "attn.qkv.bias", (biases[0], None, biases[2])),)),
        *_attending(layer, _PROJECTIONS, "attention.o_proj"),
        Row(_BLOCK + "ls1.gamma", layer + "layer_scale1.lambda1"),
        Row(_BLOCK + "ls2.gamma", layer + "layer_scale2.lambda1"),
        *_named(layer, norm1="norm1", norm2="norm2"),
        Row((_BLOCK + "mlp.fc1_g.{p}", _BLOCK + "mlp.fc1_x.{p}"), gated),
        *_named(layer, mlp_fc1="mlp.up_proj", mlp_fc2="mlp.down_proj"),
    )


# --------------------------------------------------------------------------------------------------------- CLIP, SigLIP


def _conv_kernel(theirs: Tensor) -> Tensor:
    """[D, P·P·C] -> [D, C, P, P]: SigLIP 2 cuts patches beforehand, in the order (row, column, channel)."""
    for channels in (3, 1):
        side = isqrt(theirs.shape[1] // channels)
        if channels * side * side == theirs.shape[1]:
            return theirs.unflatten(1, (side, side, channels)).permute(0, 3, 1, 2)
    raise CheckpointError(f"a patch of {theirs.shape[1]} values is no square of pixels in 3 channels, or in 1")


_TABLE = Layout(lambda theirs: theirs[None], lambda ours: ours[0])
_TOKEN = Layout(lambda theirs: theirs[None, None], lambda ours: ours[0, 0])
_CUT_PATCHES = Layout(_conv_kernel, lambda ours: ours.permute(0, 2, 3, 1).flatten(1))
_LAYER = "encoder.layers.{i}."
_PATCHES = Row("patch_embed.proj.{p}", "embeddings.patch_embedding.{p}")
_TOWER = (
    Row("pos_embed.weight", "embeddings.position_embedding.weight", _TABLE),
    Row("norm.{p}", "post_layernorm.{p}"),
    *_attending(_LAYER, ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"), "self_attn.out_proj"),
    *_named(_LAYER, norm1="layer_norm1", norm2="layer_norm2", mlp_fc1="mlp.fc1", mlp_fc2="mlp.fc2"),
)
CLIP = (
    _PATCHES,
    Row("cls_token", "embeddings.class_embedding", _TOKEN),
    Row("norm_pre.{p}", "pre_layrnorm.{p}"),
    *_TOWER,
)


def _width_and_rest(theirs: Tensors) -> tuple[int, int]:
    widths = [tensor.shape[-1] for name, tensor in theirs.items() if name.endswith("head.probe")]
    return widths[0], -1


_ATTENDED = (
    Row("pool.latent", "head.probe"),
    Row(("pool.q.{p}", "pool.kv.{p}"), "head.attention.in_proj_{p}", sizes=_width_and_rest),
    Row("pool.proj.{p}", "head.attention.out_proj.{p}"),
    Row("pool.norm.{p}", "head.layernorm.{p}"),
    Row("pool.mlp.{*}", "head.mlp.{*}"),
)
SIGLIP = (_PATCHES, *_TOWER, *_ATTENDED)
SIGLIP2 = (Row("patch_embed.proj.weight", "embeddings.patch_embedding.weight", _CUT_PATCHES), *SIGLIP)
