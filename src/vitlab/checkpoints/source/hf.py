"""transformers: a folder as `save_pretrained` writes it, or a state dict, of the vision transformers that it has.

    ViT, DeiT (with and without the teacher's head), DINOv2 (with and without registers), DINOv3, and the vision towers
    of CLIP, SigLIP and SigLIP 2, alone or inside the whole model: `_hf_classes.CLASSES`

config.json says what tensors cannot: attention heads, activations, an eps. What it says of no model of ours is refused
by the field's name. Without it the name of a preset must be given. A class that gives features is a model without a
head; CLIP's projection is a head without a bias. A pooler (a layer and tanh behind the cls token) is left out, as
transformers leaves it out where a classifier is put on. DeiT's distillation token is a register where no head reads it.

At another size of images transformers resizes position tables, bicubic, without antialiasing, but with it DINOv2's
with registers: `nn.resizing.Resizing(antialias=…)` does either. DINOv3's angles are single precision there.

A model of ours is written as the class that it is, if it is one. Those without a head have a pooler there, which is
drawn anew unless one loads them with `add_pooling_layer=False`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Self, cast

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError, unknown
from vitlab.base.files import read_object
from vitlab.base.spec import from_dict, to_dict, with_settings
from vitlab.checkpoints.source._base import Content, Settings, SourceSpec, are_numbers, class_names
from vitlab.checkpoints.source._hf_classes import CLASSES, class_among, prefix_among
from vitlab.checkpoints.source._hf_families import FAMILIES
from vitlab.checkpoints.source._hf_model import class_for, config_of, misfits, settings_of
from vitlab.checkpoints.source._hf_pictures import (
    FILE,
    preprocessing_of,
    preprocessor_config,
    resized_otherwise,
    told_or_usual,
)
from vitlab.checkpoints.source._hf_rows import behind
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.nn.mlp import packed_swiglu
from vitlab.preprocessing import Preprocessing


@dataclass(frozen=True)
class Spec(SourceSpec):
    """`architecture`: transformers' class; empty: the one that a model is. `prefix`: what stands before the names of
    the tower, null: what that class writes. `key_bias`: whether DINOv3's keys have a bias.
    """

    title: ClassVar[str] = "transformers"
    ignored: ClassVar[tuple[str, ...]] = (
        *("text_model.*", "text_projection.*", "logit_scale", "logit_bias"),
        *("*mask_token", "*pooler.dense.*", "*position_ids"),
    )
    architecture: str = ""
    prefix: str | None = None
    key_bias: bool = True

    def __post_init__(self) -> None:
        if self.architecture and self.architecture not in CLASSES:
            raise SpecError(unknown("architecture", self.architecture, list(CLASSES)))

    def recognises(self, content: Content) -> bool:
        return prefix_among(content.tensors) is not None

    def of(self, content: Content) -> Self:
        prefix = prefix_among(content.tensors)
        if prefix is None:
            raise CheckpointError(f"{content.path} has no embeddings of patches by transformers' names")
        architecture = class_among(content.config, content.tensors)
        without = CLASSES[architecture].family == "dinov3_vit" and not _have_key_bias(content.tensors)
        return replace(self, architecture=architecture, prefix=prefix, key_bias=not without)

    def model(self, content: Content, named: Settings) -> Settings:
        kind = CLASSES[self.architecture]
        if content.config:
            settings = settings_of(self.architecture, content.config)
        elif named:
            settings = {**FAMILIES[kind.family].settings, **kind.settings}
        else:
            raise CheckpointError(
                f"{content.path}: no config.json beside it tells how many attention heads it has, or its activation: "
                "give the folder, or --model NAME"
            )
        self._check_width(content, settings)
        try:
            return to_dict(with_settings(from_dict(ViTSpec, named), settings))
        except SpecError as error:
            raise CheckpointError(f"{content.path}: config.json is of no model that can be: {error}") from None

    def _check_width(self, content: Content, settings: Settings) -> None:
        """That the attention heads which the file tells of share the width that the tensors have."""
        norms = (f"{self.prefix}{name}.weight" for name in ("layernorm", "norm", "post_layernorm"))
        width = next((content.tensors[name].numel() for name in norms if name in content.tensors), None)
        if width not in (None, settings.get("embed_dim", width)):
            said = settings["embed_dim"]
            raise CheckpointError(f"{content.path}: config.json: hidden_size={said}: its tensors are {width} wide")

    def tensors(self, content: Content) -> Mapping[str, Tensor]:
        """Without those of no numbers: DINOv3 without registers has one."""
        return {name: tensor for name, tensor in content.tensors.items() if tensor.numel()}

    def notes(self, content: Content) -> tuple[str, ...]:
        return resized_otherwise(content.texts.get(FILE, {}))

    def unread(self, content: Content) -> list[str]:
        return sorted({*super().unread(content), *content.tensors.keys() - self.tensors(content).keys()})

    def tells_pictures(self, content: Content) -> bool:
        return FILE in content.texts

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        name = self._class(spec) if spec else self.architecture
        if not name:
            raise CheckpointError("which class of transformers it is config.json tells, or the names of its tensors")
        kind = CLASSES[name]
        gated = spec is not None and isinstance(spec.mlp, packed_swiglu.Spec)
        prefix = kind.prefix if self.prefix is None else self.prefix
        return (*behind(prefix, kind.rows(gated, self.key_bias)), *kind.head)

    def _class(self, spec: ViTSpec) -> str:
        """The class that a model is. Raises CheckpointError if it is none, or not this one."""
        if self.architecture and (unlike := misfits(self.architecture, spec)):
            raise CheckpointError(f"{self.architecture} of transformers is no model with {', '.join(unlike)}")
        return self.architecture or class_for(spec)

    def texts(self, spec: ViTSpec, preprocessing: Preprocessing) -> dict[str, Settings]:
        name = self._class(spec)
        if CLASSES[name].whole and not CLASSES[name].written:
            raise CheckpointError(f"{name} of transformers has parts that are not here, a tower for texts, say")
        told = config_of(name, spec, preprocessing.class_names)
        if "key_bias" in told:
            told["key_bias"] = told["key_bias"] and self.key_bias
        return {"config.json": told, FILE: preprocessor_config(preprocessing)}

    def used(self, folder: Path) -> str:
        name = read_object(folder / "config.json")["architectures"][0]
        loader = "AutoModelForImageClassification" if name.endswith("ForImageClassification") else name
        return f'model = transformers.{loader}.from_pretrained("{folder}")'

    def said(self, folder: Path, images: Tensor) -> Tensor | None:
        config = read_object(folder / "config.json")
        if find_spec("transformers") is None or not config["architectures"][0].endswith("ForImageClassification"):
            return None  # what gives features is compared as it is read again
        import transformers

        transformers.utils.logging.disable_progress_bar()
        theirs = getattr(transformers, config["architectures"][0]).from_pretrained(folder, dtype=images.dtype)
        with torch.no_grad():
            return cast(Tensor, theirs.eval()(images).logits)

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        told = told_or_usual(content.texts.get(FILE), CLASSES[self.architecture].family)
        names = class_names(content, spec.num_classes)
        named = CLASSES[self.architecture].classifies or not are_numbers(names)
        return preprocessing_of(told, spec, names if named else ())

    def is_ignored(self, name: str) -> bool:
        unused = CLASSES[self.architecture].ignored if self.architecture else ()
        inside = name.removeprefix(self.prefix or "")
        return super().is_ignored(name) or any(fnmatchcase(inside, pattern) for pattern in unused)


def _have_key_bias(names: Iterable[str]) -> bool:
    return any(name.endswith("k_proj.bias") for name in names)
