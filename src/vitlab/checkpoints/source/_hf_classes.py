"""transformers' classes of vision transformers: a tower of a family and what stands behind it.

Nothing is read of whatever else a class has: a text tower, a pooler, a mask's token. Sources: the modules `modeling_*`
of transformers 5.23, by the name of each class.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from torch import Tensor

from vitlab.checkpoints.source import _hf_rows as names
from vitlab.checkpoints.source._hf_config import Config, Settings
from vitlab.checkpoints.source._hf_families import FAMILIES
from vitlab.checkpoints.source._hf_rows import Rows
from vitlab.checkpoints.source._rows import Row


class Class(NamedTuple):
    """`prefix`: what stands before the tower's names. `rows`: of the tower, given whether its MLP is gated and whether
    keys have a bias; `head`: of what stands behind it. `labels`: the field that has the number of its outputs.

    `marks`: tensors that no class of the family has that stands after it in the table. `ignored`: patterns of tensors
    of the tower that it does not use. `whole`: the tower's fields stand in `vision_config`. `written`: models of ours
    are exported so, if they are such.
    """

    family: str
    rows: Callable[[bool, bool], Rows]
    prefix: str = ""
    head: Rows = ()
    labels: str = ""
    marks: tuple[str, ...] = ()
    settings: Settings = {}
    ignored: tuple[str, ...] = ()
    whole: bool = False
    written: bool = True

    @property
    def classifies(self) -> bool:
        """Whether its outputs are classes: a projection into the space of texts has none."""
        return self.labels != "projection_dim"


_CLASSIFIER = (Row("head.{p}", "classifier.{p}"),)
_BOTH_CLASSIFIERS = (Row("head.{p}", "cls_classifier.{p}"), Row("head_dist.{p}", "distillation_classifier.{p}"))
_PROJECTION = (Row("head.{p}", "visual_projection.{p}"),)
_BY_LABELS: dict[str, Any] = {"head": _CLASSIFIER, "labels": "id2label", "marks": ("classifier.weight",)}
_BY_PROJECTION: dict[str, Any] = {
    "prefix": "vision_model.",
    "head": _PROJECTION,
    "labels": "projection_dim",
    "settings": {"head": {"name": "linear", "bias": False}},
}
_AROUND: dict[str, Any] = {"prefix": "vision_model.", "whole": True, "written": False}
_MEAN = {"pool": "mean"}


def _dinov2(gated: bool, key_bias: bool) -> Rows:
    return names.dinov2(gated)


def _dinov3(gated: bool, key_bias: bool) -> Rows:
    return names.dinov3(key_bias)


def _always(rows: Rows) -> Callable[[bool, bool], Rows]:
    return lambda gated, key_bias: rows


_vit, _distilled, _unread = _always(names.VIT), _always(names.DISTILLED), _always(names.DISTILLED_UNREAD)
_clip, _siglip, _siglip2 = _always(names.CLIP), _always(names.SIGLIP), _always(names.SIGLIP2)
_REGISTER = {"num_registers": 1}  # DeiT's second token where no head reads it

CLASSES = {
    "ViTForImageClassification": Class("vit", _vit, "vit.", **_BY_LABELS),
    "ViTModel": Class("vit", _vit),
    "DeiTForImageClassificationWithTeacher": Class(
        *("deit", _distilled, "deit.", _BOTH_CLASSIFIERS, "id2label", ("cls_classifier.weight",)),
        settings={"dist_token": True},
    ),
    "DeiTForImageClassification": Class("deit", _unread, "deit.", **_BY_LABELS, settings=_REGISTER),
    "DeiTModel": Class("deit", _unread, settings=_REGISTER),
    "Dinov2ForImageClassification": Class("dinov2", _dinov2, "dinov2.", **_BY_LABELS, settings={"pool": "cls_mean"}),
    "Dinov2Model": Class("dinov2", _dinov2),
    "Dinov2WithRegistersForImageClassification": Class(
        *("dinov2_with_registers", _dinov2, "dinov2_with_registers."), **_BY_LABELS, settings={"pool": "cls_mean"}
    ),
    "Dinov2WithRegistersModel": Class("dinov2_with_registers", _dinov2),
    "DINOv3ViTModel": Class("dinov3_vit", _dinov3),
    "CLIPModel": Class("clip", _clip, **_BY_PROJECTION | _AROUND, marks=("visual_projection.weight", "logit_scale")),
    "CLIPVisionModelWithProjection": Class("clip", _clip, **_BY_PROJECTION, marks=("visual_projection.weight",)),
    "CLIPForImageClassification": Class(
        *("clip", _clip),
        **_BY_LABELS | _AROUND,
        settings=_MEAN | {"final_norm": "none"},
        ignored=("post_layernorm.*",),
    ),
    "CLIPVisionModel": Class("clip", _clip),
    "SiglipModel": Class("siglip", _siglip, **_AROUND, marks=("logit_scale",)),
    "SiglipForImageClassification": Class(
        *("siglip", _siglip), **_BY_LABELS | _AROUND | {"written": True}, settings=_MEAN, ignored=("head.*",)
    ),
    "SiglipVisionModel": Class("siglip", _siglip),
    "Siglip2Model": Class("siglip2", _siglip2, **_AROUND, marks=("logit_scale",)),
    "Siglip2ForImageClassification": Class(
        *("siglip2", _siglip2), **_BY_LABELS | _AROUND, settings=_MEAN, ignored=("head.*",)
    ),
    "Siglip2VisionModel": Class("siglip2", _siglip2, written=False),
}


# ----------------------------------------------------------------------------------------------------- which one it is

_KERNEL = "embeddings.patch_embedding.weight"
# What only tensors of a family are called, of those that stand after it, and how many axes they have at least
_MARKS = (
    ("dinov3_vit", "embeddings.patch_embeddings.weight", 4),
    ("deit", "embeddings.distillation_token", 3),
    ("dinov2_with_registers", "embeddings.register_tokens", 3),
    ("dinov2", ".layer_scale1.lambda1", 1),
    ("vit", "embeddings.patch_embeddings.projection.weight", 4),
    ("clip", "embeddings.class_embedding", 1),
    ("siglip", _KERNEL, 4),
    ("siglip2", _KERNEL, 0),
)
_PATCHES = re.compile(r"((?:\w+\.)*)embeddings\.patch_embedding(?:s|s\.projection)?\.weight", re.ASCII)


def prefix_among(tensors: Mapping[str, Tensor]) -> str | None:
    """What stands before the names of the tower's tensors; None where there is no tower of such names."""
    return next((match[1] for name in tensors if (match := _PATCHES.fullmatch(name))), None)


def class_among(config: Settings, tensors: Mapping[str, Tensor]) -> str:
    """The class whose checkpoint this is: as config.json says, or else as the names of its tensors do.

    Raises CheckpointError for one of transformers' that is no model of ours.
    """
    said = config.get("architectures")
    if isinstance(said, list) and said:
        if str(said[0]) not in CLASSES:
            raise Config(config, {}).refused("architectures", f"possible: {', '.join(CLASSES)}")
        return str(said[0])
    family = _family_among(config, tensors)
    classes = ((name, kind) for name, kind in CLASSES.items() if kind.family == family)
    return next(name for name, kind in classes if all(mark in tensors for mark in kind.marks))


def _family_among(config: Settings, tensors: Mapping[str, Tensor]) -> str:
    if (said := config.get("model_type")) is not None:
        for name, family in FAMILIES.items():
            if said in family.model_types:
                return name
        possible = ", ".join(each for family in FAMILIES.values() for each in family.model_types)
        raise Config(config, {}).refused("model_type", f"possible: {possible}")
    return next(
        family
        for family, mark, axes in _MARKS
        if any(name.endswith(mark) and tensor.ndim >= axes for name, tensor in tensors.items())
    )
