"""What the tensors of a ViT tell of it, under our names: its sizes, and which parts it has."""

import re
from collections import Counter
from collections.abc import Mapping
from math import isqrt
from typing import Any

from torch import Tensor

from vitlab.base.errors import CheckpointError
from vitlab.base.words import counted

Tensors = Mapping[str, Tensor]
HEAD_WIDTH = 64  # channels of an attention head in most ViTs
# The widths of others and their heads: SO400M (arXiv 2305.13035), H (2010.11929), g and G (2106.04560, table 2)
_WIDER_HEADS = {1152: 16, 1280: 16, 1408: 16, 1664: 16}
_STEM = "patch_embed.backbone.stem.conv.weight"
_BOTTLENECK = re.compile(r"patch_embed\.backbone\.stages\.(\d)\.blocks\.\d+\.conv1\.weight")


def told(tensors: Tensors, named: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a model with such tensors; what these cannot tell is as `named` has it.

    Raises CheckpointError where they do not belong to a ViT.
    """
    patches = tensors.get("patch_embed.proj.weight")
    depth = _depth(tensors)
    if patches is None or not depth:
        raise CheckpointError(
            "read so, it has no patch embedding (here patch_embed.proj.weight) or no blocks: these are not the weights "
            "of a ViT, or those of another source"
        )
    found: dict[str, Any] = {**named, "embed_dim": patches.shape[0], "depth": depth, **_prefix(tensors)}
    found |= _resnet(tensors, found) or _linear(tensors, found)
    found |= {"num_classes": _classes(tensors), **_head(tensors), **_heads(found, named)}
    found |= _biases_and_norms(tensors, found, named) | _mlp(tensors, found)
    return found | _picture(tensors, found)


def assumed(
    tensors: Tensors, named: Mapping[str, Any], known: Mapping[str, Any], found: Mapping[str, Any]
) -> tuple[str, ...]:
    """What stands in no tensor and was taken to be as usual, in sentences. `known`: settings that somebody has told;
    `found`: the model's, as it was read.
    """
    width = found["embed_dim"]
    of_name = bool(named) and named.get("embed_dim", width) == width
    taken = []
    if "num_heads" not in known and not of_name:
        taken.append(f"{counted(found['num_heads'], 'attention head')} of {width // found['num_heads']} channels")
    if not named:
        taken += [] if "mlp" in known else ["GELU"]
        taken += [] if "norm" in known else ["norms with an eps of 1e-6"]
    usual = (f"assumed, as no tensor tells: {', '.join(taken)}; {_OTHERWISE}",) if taken else ()
    return (*usual, *_positions_taken(tensors, found, {**named, **known}))


_OTHERWISE = "`vitlab convert` with --model NAME or --set (num_heads, mlp, norm) says otherwise"


def _positions_taken(tensors: Tensors, found: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, ...]:
    """A table that was taken for one of a square picture without prefix tokens, though the model has some."""
    table = tensors.get("pos_embed.weight")
    prefix = int(found["cls_token"]) + int(found["dist_token"]) + found["num_registers"]
    if table is None or not prefix or "img_size" in known or _learned(found).get("prefix", True):
        return ()
    if _learned(known).get("prefix", True) is False:
        return ()
    rows, columns = found["img_size"]
    return (
        f"assumed: {table.shape[-2]} positions are those of a square picture of {rows} × {columns} pixels, and none of "
        f"its {counted(prefix, 'prefix token')}; `vitlab convert` with --set img_size=[ROWS,COLUMNS] says otherwise",
    )


def _depth(tensors: Tensors) -> int:
    numbers = {name.split(".")[1] for name in tensors if name.startswith("blocks.")}
    return len(numbers & set(map(str, range(len(numbers)))))


def _prefix(tensors: Tensors) -> dict[str, Any]:
    registers = tensors.get("reg_token")
    return {
        "cls_token": "cls_token" in tensors,
        "dist_token": "dist_token" in tensors,
        "num_registers": 0 if registers is None else registers.shape[-2],
    }


def _resnet(tensors: Tensors, found: Mapping[str, Any]) -> dict[str, Any]:
    """What a hybrid's embedding is; empty for another."""
    if _STEM not in tensors:
        return {}
    stages = Counter(match[1] for name in tensors if (match := _BOTTLENECK.fullmatch(name)))
    part, stride = found.get("patch_embed"), 4 << max(len(stages) - 1, 0)
    return {
        "in_chans": tensors[_STEM].shape[1],
        "patch_size": [stride * side for side in tensors["patch_embed.proj.weight"].shape[2:]],
        "patch_embed": {
            **(part if isinstance(part, Mapping) else {}),
            "name": "resnet",
            "stages": [stages[stage] for stage in sorted(stages)],
        },
    }


def _linear(tensors: Tensors, found: Mapping[str, Any]) -> dict[str, Any]:
    """What an embedding of one linear map is; whether it has a bias and a norm, where that is not as it is known."""
    weight = tensors["patch_embed.proj.weight"]
    sizes = {"in_chans": weight.shape[1], "patch_size": list(weight.shape[2:])}
    part = found.get("patch_embed", "linear")
    known = part if isinstance(part, Mapping) else {"name": part}
    seen = {"bias": "patch_embed.proj.bias" in tensors, "norm": "patch_embed.norm.weight" in tensors}
    if known["name"] != "linear" or {"bias": True, "norm": False, **known} == {**known, **seen}:
        return sizes
    return sizes | {"patch_embed": {**known, **seen}}


def _classes(tensors: Tensors) -> int:
    for name in ("head.weight", "head.logits.weight"):
        if name in tensors:
            return int(tensors[name].shape[0])
    return 0


def _head(tensors: Tensors) -> dict[str, Any]:
    if "head.pre_logits.weight" not in tensors:
        return {}
    shape = tensors["head.pre_logits.weight"].shape
    return {"head": {"name": "mlp", "hidden": None if shape[0] == shape[-1] else shape[0]}}


def _heads(found: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    width = found["embed_dim"]
    if named.get("embed_dim", width) == width and "num_heads" in named:
        return {}
    if not _usual_heads(width):
        raise CheckpointError(
            f"how many attention heads share {width} channels no tensor tells: `vitlab convert` with --set num_heads=N "
            "or --model NAME"
        )
    return {"num_heads": _usual_heads(width), "head_dim": None}


def _usual_heads(width: int) -> int:
    """The attention heads of published models of such a width; 0 where there are none."""
    return _WIDER_HEADS.get(width) or (0 if width % HEAD_WIDTH else width // HEAD_WIDTH)


def _biases_and_norms(tensors: Tensors, found: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    block = {name.split(".", 2)[2] for name in tensors if name.startswith("blocks.0.")}
    settings: dict[str, Any] = {
        "norm_pre": "norm_pre.weight" in tensors,
        "final_norm": _final_norm(tensors),
        **_pool(tensors, found, named),
    }
    if "attn.qkv.weight" in block:
        settings |= {
            "qkv_bias": "attn.qkv.bias" in block,
            "proj_bias": "attn.proj.bias" in block,
            "qk_norm": "attn.q_norm.weight" in block,
            "scale_attn_norm": "attn.norm.weight" in block,
            "scale_mlp_norm": "mlp.norm.weight" in block,
        }
    scaled = any(name.endswith("gamma") for name in block)
    return settings | {"layer_scale": (named.get("layer_scale") or 1e-5) if scaled else None}


def _final_norm(tensors: Tensors) -> str:
    if "fc_norm.weight" in tensors:
        return "after_pool"
    return "before_pool" if "norm.weight" in tensors else "none"


def _pool(tensors: Tensors, found: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """What tensors decide: without a cls token only patches can be pooled, and a norm after pooling is a mean's, unless
    of a model that is known to have it there.
    """
    if "pool.latent" in tensors:
        return {} if _name(named.get("pool")) == "attention" else {"pool": "attention"}
    known = "pool" in named or named.get("final_norm") == "after_pool"
    if _name(named.get("pool")) == "attention" or ("fc_norm.weight" in tensors and not known):
        return {"pool": "mean"}
    return {} if found["cls_token"] or _name(named.get("pool")) == "mean" else {"pool": "mean"}


def _name(part: Any) -> Any:
    return part.get("name") if isinstance(part, Mapping) else part


def _mlp(tensors: Tensors, found: Mapping[str, Any]) -> dict[str, Any]:
    names = ("blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc1_g.weight")
    first = next((tensors[name] for name in names if name in tensors), None)
    if first is None:
        return {}
    settings: dict[str, Any] = {"mlp_bias": f"{names[0].removesuffix('.weight')}.bias" in tensors}
    if names[1] in tensors:
        settings |= {"mlp": "swiglu", "mlp_bias": "blocks.0.mlp.fc1_g.bias" in tensors}
    elif tensors["blocks.0.mlp.fc2.weight"].shape[1] * 2 == first.shape[0]:
        settings |= {"mlp": "packed_swiglu"}
    width = found["embed_dim"]
    if int(width * found.get("mlp_ratio", 4.0) + 1e-6) != first.shape[0]:
        settings |= {"mlp_ratio": first.shape[0] / width}
    return settings


def _picture(tensors: Tensors, found: Mapping[str, Any]) -> dict[str, Any]:
    """The size of pictures, and whether prefix tokens have positions, from the table of these."""
    table = tensors.get("pos_embed.weight")
    if table is None:
        return {}
    registers = found["num_registers"] if _learned(found).get("registers", True) else 0
    prefix = int(found["cls_token"]) + int(found["dist_token"]) + registers
    number, patch = table.shape[-2], found["patch_size"]
    known, likely = found.get("img_size"), _learned(found).get("prefix", True)
    if known is not None:
        patches = (known[0] // patch[0]) * (known[1] // patch[1])
        for with_prefix in (likely, not likely):
            if number == patches + prefix * with_prefix:
                return _positions(found, with_prefix or not prefix)
    for with_prefix in (likely, not likely):
        side = isqrt(max(number - prefix * with_prefix, 0))
        if side and side * side == number - prefix * with_prefix:
            return {"img_size": [side * patch[0], side * patch[1]], **_positions(found, with_prefix or not prefix)}
    raise CheckpointError(
        f"the position table has {number} positions, which is no square of patches: give --set img_size=[ROWS,COLUMNS]"
    )


def _learned(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of the positions, as far as they are known."""
    part = found.get("pos_embed", "learned")
    return part if isinstance(part, Mapping) else {"name": part}


def _positions(found: Mapping[str, Any], with_prefix: bool) -> dict[str, Any]:
    settings = _learned(found)
    if settings.get("name") != "learned" or settings.get("prefix", True) == with_prefix:
        return {}
    return {"pos_embed": {**settings, "prefix": with_prefix}}
