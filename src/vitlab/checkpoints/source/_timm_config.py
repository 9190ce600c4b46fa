"""config.json as timm writes it on the hub: an architecture of timm's, and in what a model of ours differs from it.

What JSON cannot say, a class or a norm's eps, an architecture must have of itself; the rest are arguments.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from vitlab.augment.ops import center_crop
from vitlab.base.errors import CheckpointError
from vitlab.base.spec import read_fields
from vitlab.base.words import shown
from vitlab.models.likeness import written
from vitlab.models.spec import ViTSpec
from vitlab.nn.attention import softmax
from vitlab.nn.auxiliary import none as no_auxiliary
from vitlab.nn.block import parallel, parallel_things, pre_norm, res_post_norm
from vitlab.nn.head import linear as linear_head
from vitlab.nn.mixer import differential, self_attention
from vitlab.nn.mlp import gelu, packed_swiglu, quick_gelu, swiglu
from vitlab.nn.norm import layer, rms
from vitlab.nn.norm._base import NormSpec
from vitlab.nn.patch_embed import linear as linear_patches
from vitlab.nn.pool import attention, cls, mean
from vitlab.nn.pos_embed import learned
from vitlab.preprocessing import Preprocessing


class _Built(NamedTuple):
    """What an architecture has that no argument can say."""

    block: type
    mlp: type
    norm: object
    distilled: bool = False


_LAYER, _FINER, _RMS, _RMS_FINER = layer.Spec(), layer.Spec(eps=1e-5), rms.Spec(), rms.Spec(eps=1e-5)
USUAL_EPS = _LAYER.eps  # which timm has in place of a smaller one
_ARCHITECTURES = {
    _Built(pre_norm.Spec, gelu.Spec, _LAYER): "vit_base_patch16_224",
    _Built(pre_norm.Spec, gelu.Spec, _LAYER, distilled=True): "deit_base_distilled_patch16_224",
    _Built(pre_norm.Spec, gelu.Spec, _FINER): "vit_base_patch16_clip_224",
    _Built(pre_norm.Spec, gelu.Spec, _RMS): "test_vit4",
    _Built(pre_norm.Spec, packed_swiglu.Spec, _LAYER): "vit_giant_patch14_dinov2",
    _Built(pre_norm.Spec, swiglu.Spec, _RMS_FINER): "aimv2_large_patch14_224",
    _Built(parallel.Spec, gelu.Spec, _LAYER): "vit_pwee_patch16_reg1_gap_256",
    _Built(parallel.Spec, gelu.Spec, _RMS): "vit_base_patch16_xp_224",
    _Built(parallel_things.Spec, gelu.Spec, _LAYER): "vit_base_patch16_18x2_224",
    _Built(res_post_norm.Spec, gelu.Spec, _LAYER): "vit_base_patch16_rpn_224",
}
_FUSED_DIFFERENCE = "vit_dpwee_patch16_reg1_gap_256"
_DIFFERENTIAL = ("vit_dwee_patch16_reg1_gap_256", "vit_dlittle_patch16_reg1_gap_256", _FUSED_DIFFERENCE)
_POOL_NAMES = {"token": "cls", "avg": "mean", "map": "attention"}
_ACTIVATIONS: dict[str, Any] = {
    "gelu": "gelu",
    "quick_gelu": "quick_gelu",
    "gelu_tanh": {"name": "gelu", "approximate": "tanh"},
}
_POOLS = {cls.Spec: "token", mean.Spec: "avg", attention.Spec: "map"}


def config(spec: ViTSpec, preprocessing: Preprocessing) -> dict[str, Any]:
    """The config.json with which timm builds such a model. Raises CheckpointError naming what it does not have."""
    without = list(_without(spec))
    if without:
        raise CheckpointError(f"timm has no {' and no '.join(without)}")
    return {
        "architecture": _architecture(spec),
        "num_classes": spec.num_classes,
        "num_features": spec.embed_dim,
        "global_pool": _POOLS[type(spec.pool)],
        **({"label_names": list(preprocessing.class_names)} if spec.num_classes else {}),
        "model_args": dict(_arguments(spec)),
        "pretrained_cfg": _prepared(spec, preprocessing),
    }


def told_by(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a config.json's arguments say that no tensor tells: sizes that are not square, heads, activations.

    Raises SpecError for a value that none of these can have.
    """
    arguments = inside(values, "model_args")
    known = {name: arguments[name] for name in ("img_size", "num_heads", "embed_dim", "depth") if name in arguments}
    told = read_fields(ViTSpec, known)
    told |= {"layer_scale": arguments["init_values"]} if "init_values" in arguments else {}
    if "num_heads" in told and (arguments.get("attn_layer") == "diff" or values.get("architecture") in _DIFFERENTIAL):
        told["num_heads"] *= 2  # a head of theirs has two maps, which are two heads of ours
    if "global_pool" in arguments:
        pool = {"name": _POOL_NAMES.get(str(arguments["global_pool"]), "cls")}
        told["pool"] = pool | (
            {"prefix": bool(arguments["pool_include_prefix"])} if "pool_include_prefix" in arguments else {}
        )
    if (activation := arguments.get("act_layer")) is not None:
        if str(activation) not in _ACTIVATIONS:
            raise CheckpointError(f"config.json: act_layer={shown(activation)}: possible: {', '.join(_ACTIVATIONS)}")
        told["mlp"] = _ACTIVATIONS[str(activation)]
    if arguments.get("attn_layer") == "diff":
        told["mixer"] = "differential"
    return told


def inside(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Settings that stand under a name, none if there is none. Raises CheckpointError for something else."""
    found = values.get(name) or {}
    if not isinstance(found, Mapping):
        raise CheckpointError(f"config.json: {name}={shown(found)}: expected settings")
    return found


def _without(spec: ViTSpec) -> Iterator[str]:
    """The parts that timm has not, or has not so."""
    for name, kinds in {
        "patch_embed": (linear_patches.Spec,),
        "auxiliary": (no_auxiliary.Spec,),
        "pos_embed": (learned.Spec,),
        "mixer": (self_attention.Spec, differential.Spec),
        "attention": (softmax.Spec,),
        "pool": tuple(_POOLS),
        "head": (linear_head.Spec,),
    }.items():
        part = getattr(spec, name)
        if not isinstance(part, kinds):
            yield f"{name}={part.name}"
    if isinstance(spec.pos_embed, learned.Spec) and spec.pos_embed.place != "stem":
        yield f"pos_embed.place={spec.pos_embed.place}"
    if isinstance(spec.pos_embed, learned.Spec) and spec.num_registers and not spec.pos_embed.registers:
        yield "pos_embed.registers=False"
    if isinstance(spec.head, linear_head.Spec) and spec.num_classes and not spec.head.bias:
        yield "head.bias=False"
    if isinstance(spec.attention, softmax.Spec) and spec.attention.scale is not None:
        yield f"attention.scale={spec.attention.scale}"
    if spec.head_dim not in (None, spec.embed_dim // spec.num_heads):
        yield f"head_dim={spec.head_dim}"
    if isinstance(spec.pool, mean.Spec) and spec.pool.prefix:
        yield "pool.prefix=True beside pool=mean"
    if isinstance(spec.block, parallel.Spec) and not is_joint(spec):
        yield f"block.joint=False with layer_scale={spec.layer_scale}"
    elif _built(spec) not in _ARCHITECTURES and not _is_fused_difference(spec):
        yield f"block={spec.block.name} with mlp={spec.mlp.name} and norm={written(spec.norm)}"


def _built(spec: ViTSpec) -> _Built:
    kind = gelu.Spec if isinstance(spec.mlp, quick_gelu.Spec) else type(spec.mlp)
    return _Built(type(spec.block), kind, _as_usual(spec.norm), spec.dist_token)


def _as_usual(norm: NormSpec) -> NormSpec:
    """A norm with the usual eps in place of a smaller one, which only a token that is nearly constant would notice."""
    known = isinstance(norm, layer.Spec | rms.Spec) and norm.eps < _LAYER.eps
    return replace(norm, eps=_LAYER.eps) if known else norm  # type: ignore[call-arg]


def is_joint(spec: ViTSpec) -> bool:
    """Whether it is of timm's parallel blocks; without layer scales one of ours computes the same in either form."""
    return isinstance(spec.block, parallel.Spec) and (spec.block.joint or spec.layer_scale is None)


def _is_fused_difference(spec: ViTSpec) -> bool:
    return isinstance(spec.block, parallel.Spec) and isinstance(spec.mixer, differential.Spec)


def _architecture(spec: ViTSpec) -> str:
    return _FUSED_DIFFERENCE if _is_fused_difference(spec) else _ARCHITECTURES[_built(spec)]


def _arguments(spec: ViTSpec) -> Iterator[tuple[str, Any]]:
    """What timm's `VisionTransformer` is told."""
    differing = isinstance(spec.mixer, differential.Spec)
    assert isinstance(spec.pos_embed, learned.Spec)
    assert isinstance(spec.patch_embed, linear_patches.Spec)
    yield "img_size", list(spec.img_size)
    yield "patch_size", list(spec.patch_size)
    yield "embed_dim", spec.embed_dim
    yield "depth", spec.depth
    yield "num_heads", spec.num_heads // 2 if differing else spec.num_heads
    yield "mlp_ratio", spec.dims().mlp_dim / spec.embed_dim + 1e-9  # timm cuts the width off
    yield "qkv_bias", spec.qkv_bias
    yield "proj_bias", spec.mlp_bias if _is_fused_difference(spec) else spec.proj_bias
    yield "qk_norm", spec.qk_norm
    yield "scale_attn_norm", spec.scale_attn_norm
    yield "scale_mlp_norm", spec.scale_mlp_norm
    yield "init_values", spec.layer_scale
    if not spec.dist_token:
        yield "class_token", spec.cls_token
        yield "reg_tokens", spec.num_registers
        yield "global_pool", _POOLS[type(spec.pool)]
        yield "fc_norm", spec.final_norm == "after_pool"
        yield "final_norm", spec.final_norm != "none"
    yield "no_embed_class", not spec.pos_embed.prefix
    yield "pre_norm", spec.norm_pre
    if isinstance(spec.pool, attention.Spec):
        yield "pool_include_prefix", spec.pool.prefix
    if isinstance(spec.mlp, quick_gelu.Spec):
        yield "act_layer", "quick_gelu"
    if isinstance(spec.mlp, gelu.Spec) and spec.mlp.approximate == "tanh":
        yield "act_layer", "gelu_tanh"
    if differing and not _is_fused_difference(spec):
        yield "attn_layer", "diff"


def _prepared(spec: ViTSpec, preprocessing: Preprocessing) -> Mapping[str, Any]:
    """What pictures go through, as far as timm has words for it."""
    cut = [op for op in preprocessing.ops if isinstance(op, center_crop.Spec)]
    share = spec.img_size[0] / preprocessing.img_size[0] if cut else 1.0
    return {
        "input_size": [spec.in_chans, *spec.img_size],
        "fixed_input_size": True,
        "interpolation": preprocessing.interpolation,
        "crop_pct": share,
        "crop_mode": {"squash": "squash", "pad": "border"}.get(preprocessing.fit, "center"),
        "mean": list(preprocessing.mean),
        "std": list(preprocessing.std),
        "num_classes": spec.num_classes,
        "first_conv": "patch_embed.proj",
        "classifier": "head",
    }
