"""timm: a state dict of its `VisionTransformer`, or a folder as its models have on the hub, with config.json.

Our names are timm's but for a few, so the table is short. Of the joint parallel block (ViT-22B's) timm computes the
MLP's first layer and q, k and v as one matrix, in this order; the differential form has one for both last layers too.
A file without config.json does not say how pictures were prepared: that is as usual of models of that name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, cast, get_args

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError
from vitlab.base.words import counted, shown
from vitlab.checkpoints.source._base import Content, Settings, SourceSpec, class_names, cropped, published_preprocessing
from vitlab.checkpoints.source._named_as_timm import BLOCK, EVERYTHING, PLAIN, whose
from vitlab.checkpoints.source._rows import Row
from vitlab.checkpoints.source._timm_config import USUAL_EPS, config, inside, is_joint, told_by
from vitlab.data.decode import Fit, Interpolation
from vitlab.models.spec import ViTSpec
from vitlab.nn.mixer import differential
from vitlab.preprocessing import Preprocessing

_LEAST_CROP = 0.1
_FITS: dict[str, Fit] = {"squash": "squash", "border": "pad"}  # of timm's crop_mode


def _width(theirs: Mapping[str, Tensor]) -> int:
    return len(theirs["blocks.0.in_norm.weight"])


_JOINT = (
    Row(
        (BLOCK + "mlp.fc1.{p}", BLOCK + "attn.qkv.{p}"),
        BLOCK + "in_proj.{p}",
        sizes=lambda theirs: (-1, 3 * _width(theirs)),
    ),
    Row(BLOCK + "mlp.fc1.bias", BLOCK + "mlp_bias"),
    Row(BLOCK + "norm1.{p}", BLOCK + "in_norm.{p}"),
    Row(BLOCK + "attn.q_norm.{p}", BLOCK + "q_norm.{p}"),
    Row(BLOCK + "attn.k_norm.{p}", BLOCK + "k_norm.{p}"),
    Row(BLOCK + "attn.sub_norm.{p}", BLOCK + "sub_norm.{p}"),
    *(Row(BLOCK + f"attn.lambda_{each}", BLOCK + f"lambda_{each}") for each in ("q1", "k1", "q2", "k2")),
    Row(BLOCK + "ls1.gamma", BLOCK + "ls.gamma"),
)
_TWO_LAST_LAYERS = (
    Row(BLOCK + "attn.proj.{p}", BLOCK + "attn_out_proj.{p}"),
    Row(BLOCK + "mlp.fc2.{p}", BLOCK + "mlp_out_proj.{p}"),
)
_ONE_LAST_LAYER = (
    Row(
        (BLOCK + "attn.proj.weight", BLOCK + "mlp.fc2.weight"),
        BLOCK + "out_proj.weight",
        axis=1,
        sizes=lambda theirs: (_width(theirs), -1),
    ),
    Row(BLOCK + "mlp.fc2.bias", BLOCK + "out_proj.bias"),
)


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "timm"
    ignored: ClassVar[tuple[str, ...]] = ("mask_token",)

    def recognises(self, content: Content) -> bool:
        return whose(content) == self.name

    def preset(self, content: Content) -> str:
        return str(content.config.get("architecture", ""))

    def model(self, content: Content, named: Settings) -> Settings:
        told = told_by(content.config)
        if "patch_embed.backbone.stem.conv.weight" not in content.tensors:
            return told
        part = named.get("patch_embed", {})
        return told | {"patch_embed": {**part, "name": "resnet", "weight_standardisation": "timm", "norm_eps": 1e-5}}

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        if spec is None:
            return (*PLAIN, *_JOINT, *_TWO_LAST_LAYERS, *_ONE_LAST_LAYER, *EVERYTHING)
        if not is_joint(spec):
            return (*PLAIN, *EVERYTHING)
        last = _ONE_LAST_LAYER if isinstance(spec.mixer, differential.Spec) else _TWO_LAST_LAYERS
        return (*PLAIN, *_JOINT, *last, *EVERYTHING)

    def texts(self, spec: ViTSpec, preprocessing: Preprocessing) -> dict[str, Settings]:
        return {"config.json": config(spec, preprocessing)}

    def used(self, folder: Path) -> str:
        return f'model = timm.create_model("local-dir:{folder}", pretrained=True)'

    def said(self, folder: Path, images: Tensor) -> Tensor | None:
        if find_spec("timm") is None:
            return None
        import timm

        theirs = timm.create_model(f"local-dir:{folder}", pretrained=True).eval().to(images.dtype)
        with torch.no_grad():
            return cast(Tensor, theirs(images))

    def why_unlike(self, spec: ViTSpec) -> str:
        eps = getattr(spec.norm, "eps", USUAL_EPS)
        if eps >= USUAL_EPS:
            return ""
        return f": timm builds norms with an eps of {USUAL_EPS:g}, which is {eps:g} here, and some tokens hardly vary"

    def notes(self, content: Content) -> tuple[str, ...]:
        return _resized_otherwise(inside(content.config, "pretrained_cfg").get("interpolation"))

    def tells_pictures(self, content: Content) -> bool:
        return "mean" in inside(content.config, "pretrained_cfg") or super().tells_pictures(content)

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        told = inside(content.config, "pretrained_cfg")
        names = class_names(content, spec.num_classes)
        if "mean" not in told:
            return published_preprocessing(content.name, spec, names)
        fit, crop = _FITS.get(str(told.get("crop_mode")), "crop"), told.get("crop_pct", 1.0)
        if not isinstance(crop, int | float) or not _LEAST_CROP <= crop <= 1:
            raise CheckpointError(f"config.json: crop_pct={shown(crop)}: expected a share between {_LEAST_CROP} and 1")
        mean, std = (_of_channels(told, name, spec.in_chans) for name in ("mean", "std"))
        interpolation: Interpolation = "bilinear" if told.get("interpolation") == "bilinear" else "bicubic"
        return cropped(spec.img_size, crop, mean, std, names, fit, interpolation)


def _resized_otherwise(interpolation: object) -> tuple[str, ...]:
    if interpolation in (None, "", *get_args(Interpolation)):
        return ()
    return (f"pictures are resized by bicubic interpolation, and were there by interpolation={shown(interpolation)}",)


def _of_channels(told: Settings, name: str, channels: int) -> Sequence[float]:
    values = told.get(name)
    if not isinstance(values, list | tuple) or not all(isinstance(each, int | float) for each in values):
        raise CheckpointError(f"config.json: {name}={shown(values)}: expected numbers")
    if len(values) != channels:
        took = counted(channels, "channel")
        raise CheckpointError(f"config.json: {name}={shown(values)}: the model takes {took}")
    return values
