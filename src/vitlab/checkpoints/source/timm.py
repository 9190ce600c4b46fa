"""timm: a state dict of its `VisionTransformer`, or a folder as its models have on the hub, with config.json.

Our names are timm's but for a few, so the table is short. Of the joint parallel block (ViT-22B's) timm computes the
MLP's first layer and q, k and v as one matrix, in this order; the differential form has one for both last layers too.
A file without config.json does not say how pictures were prepared: that is as usual of models of that name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from vitlab.checkpoints.source._base import Content, Settings, SourceSpec, class_names, cropped, published_preprocessing
from vitlab.checkpoints.source._rows import Row
from vitlab.checkpoints.source._timm_config import config
from vitlab.data.decode import Fit
from vitlab.models.spec import ViTSpec
from vitlab.nn.block import parallel
from vitlab.nn.mixer import differential
from vitlab.preprocessing import Preprocessing

_FITS: dict[str, Fit] = {"squash": "squash", "border": "pad"}  # of timm's crop_mode
_BLOCK = "blocks.{i}."
_PLAIN = (Row("pos_embed.weight", "pos_embed"), Row("pool.{*}", "attn_pool.{*}"))
_EVERYTHING = (Row("{*}", "{*}"),)


def _width(theirs: Mapping[str, Tensor]) -> int:
    return len(theirs["blocks.0.in_norm.weight"])


_JOINT = (
    Row(
        (_BLOCK + "mlp.fc1.{p}", _BLOCK + "attn.qkv.{p}"),
        _BLOCK + "in_proj.{p}",
        sizes=lambda theirs: (-1, 3 * _width(theirs)),
    ),
    Row(_BLOCK + "mlp.fc1.bias", _BLOCK + "mlp_bias"),
    Row(_BLOCK + "norm1.{p}", _BLOCK + "in_norm.{p}"),
    Row(_BLOCK + "attn.q_norm.{p}", _BLOCK + "q_norm.{p}"),
    Row(_BLOCK + "attn.k_norm.{p}", _BLOCK + "k_norm.{p}"),
    Row(_BLOCK + "attn.sub_norm.{p}", _BLOCK + "sub_norm.{p}"),
    *(Row(_BLOCK + f"attn.lambda_{each}", _BLOCK + f"lambda_{each}") for each in ("q1", "k1", "q2", "k2")),
    Row(_BLOCK + "ls1.gamma", _BLOCK + "ls.gamma"),
)
_TWO_LAST_LAYERS = (
    Row(_BLOCK + "attn.proj.{p}", _BLOCK + "attn_out_proj.{p}"),
    Row(_BLOCK + "mlp.fc2.{p}", _BLOCK + "mlp_out_proj.{p}"),
)
_ONE_LAST_LAYER = (
    Row(
        (_BLOCK + "attn.proj.weight", _BLOCK + "mlp.fc2.weight"),
        _BLOCK + "out_proj.weight",
        axis=1,
        sizes=lambda theirs: (_width(theirs), -1),
    ),
    Row(_BLOCK + "mlp.fc2.bias", _BLOCK + "out_proj.bias"),
)


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "timm"
    ignored: ClassVar[tuple[str, ...]] = ("mask_token",)

    def recognises(self, content: Content) -> bool:
        return "patch_embed.proj.weight" in content.tensors and any(n.startswith("blocks.0.") for n in content.tensors)

    def preset(self, content: Content) -> str:
        return str(content.config.get("architecture", ""))

    def model(self, content: Content, named: Settings) -> Settings:
        if "patch_embed.backbone.stem.conv.weight" not in content.tensors:
            return {}
        part = named.get("patch_embed", {})
        return {"patch_embed": {**part, "name": "resnet", "weight_standardisation": "timm", "norm_eps": 1e-5}}

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        if spec is None:
            return (*_PLAIN, *_JOINT, *_TWO_LAST_LAYERS, *_ONE_LAST_LAYER, *_EVERYTHING)
        if not (isinstance(spec.block, parallel.Spec) and spec.block.joint):
            return (*_PLAIN, *_EVERYTHING)
        last = _ONE_LAST_LAYER if isinstance(spec.mixer, differential.Spec) else _TWO_LAST_LAYERS
        return (*_PLAIN, *_JOINT, *last, *_EVERYTHING)

    def texts(self, spec: ViTSpec, preprocessing: Preprocessing) -> dict[str, Settings]:
        return {"config.json": config(spec, preprocessing)}

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        told: Mapping[str, Any] = content.config.get("pretrained_cfg") or {}
        names = class_names(content, spec.num_classes)
        if "mean" not in told:
            return published_preprocessing(content.name, spec, names)
        fit = _FITS.get(str(told.get("crop_mode")), "crop")
        return cropped(spec.img_size, float(told.get("crop_pct", 1.0)), told["mean"], told["std"], names, fit)
