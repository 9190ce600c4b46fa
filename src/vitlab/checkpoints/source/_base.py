"""The contract of a source: how somebody else's checkpoints are laid out.

    recognises(content)          -> whether they are its own, by what they hold
    of(content)                  -> the source itself, with what its checkpoints differ in, where that is more than rows
    preset(content)              -> the name of the preset that they are weights of, where something beside them says so
    model(content, named)        -> settings of their model that neither that name nor their shapes tell
    tensors(content)             -> their tensors in the one form of which the table is
    rows(spec)                   -> the table of names, read in both directions
    texts(spec, preprocessing)   -> the JSON files beside the tensors that its library builds the model of
    said(folder, images)         -> what its library makes of what was written, to be compared with ours
    finished(written, spec)      -> what was written by the table, in the form in which they store it
    notes(content)               -> what a user should be told of how it was read
    preprocessing(content, spec) -> what a picture went through before it

A source is what a library writes, whoever trained with it. `content` is what was found: tensors by name, and the texts
beside them. `named` are the settings of a model that was given by name, where one was.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor

from vitlab.augment.ops import center_crop
from vitlab.augment.ops._base import OpSpec
from vitlab.base.spec import Component
from vitlab.checkpoints.source._rows import Row
from vitlab.data.decode import Fit, Interpolation
from vitlab.models.presets import prepared
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing

Settings = Mapping[str, Any]
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Content:
    """What stands in somebody's file or folder: tensors, and its `texts`, the JSON files beside them by their name.

    `name` is the preset that the user gave, or the folder; empty where neither says. `notes`: what was done to it.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    texts: Mapping[str, Settings] = field(default_factory=dict)
    name: str = ""
    notes: tuple[str, ...] = ()

    def called(self, name: str) -> Self:
        """The same, known to be the weights of a preset."""
        return replace(self, name=name)

    def has(self, *names: str) -> bool:
        """Whether all of these tensors are there."""
        return all(name in self.tensors for name in names)

    @property
    def config(self) -> Settings:
        """config.json, as the hub's folders have it; empty where there is none."""
        return self.texts.get("config.json", {})


@dataclass(frozen=True)
class SourceSpec(Component):
    """A source of checkpoints. `ignored`: patterns of tensors that are of no use here, the decoder of a pretext task,
    say; `title`: what messages call it.
    """

    family: ClassVar[str] = "vitlab.checkpoints.source"
    title: ClassVar[str]
    file: ClassVar[str] = "model.safetensors"  # in which tensors are written
    writes: ClassVar[bool] = True  # whether models of ours are exported so
    ignored: ClassVar[tuple[str, ...]] = ()
    prepares_alike: ClassVar[bool] = False  # whether the pictures of all its models are prepared in one way

    def recognises(self, content: Content) -> bool:
        """Whether this looks like one of its checkpoints, and like nobody else's."""
        raise NotImplementedError

    def of(self, content: Content) -> Self:
        """The source of this checkpoint, where its checkpoints are not all laid out alike; written so, too."""
        return self

    def preset(self, content: Content) -> str:
        """A preset's name that stands beside the tensors; empty where there is none."""
        return ""

    def model(self, content: Content, named: Settings) -> Settings:
        """Settings of the model that neither its name nor the shapes of its tensors tell.

        Raises CheckpointError where what stands beside the tensors describes no model of ours.
        """
        return {}

    def tensors(self, content: Content) -> Mapping[str, Tensor]:
        """Their tensors in the one form of which the table is, where they are stored in others too."""
        return content.tensors

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        """The table of names for such a model; without one, for all of them, to read what somebody wrote."""
        raise NotImplementedError

    def finished(self, written: dict[str, Tensor], spec: ViTSpec) -> dict[str, Tensor]:
        """What was written by the table, in the form in which they store it. Raises CheckpointError if they cannot."""
        return written

    def notes(self, content: Content) -> tuple[str, ...]:
        """What a user should be told of how these tensors were read, in sentences."""
        return ()

    def unread(self, content: Content) -> list[str]:
        """The tensors that are left out, being of no use here: a decoder's, a text tower's."""
        return sorted(name for name in content.tensors if self.is_ignored(name))

    def tells_pictures(self, content: Content) -> bool:
        """Whether it is known how pictures were prepared: as in all models of the source, by a name, or by what stands
        beside the tensors.
        """
        return self.prepares_alike or bool(content.name)

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        """What a picture goes through. The classes are numbered unless something beside the tensors names them."""
        return published_preprocessing(content.name, spec, class_names(content, spec.num_classes))

    def texts(self, spec: ViTSpec, preprocessing: Preprocessing) -> dict[str, Settings]:
        """The JSON files, by name, that stand beside a model's tensors, so that its library can build it.

        Raises CheckpointError naming what that library does not have.
        """
        return {}

    def used(self, folder: Path) -> str:
        """How what was written into a folder is used, in a line."""
        load = f'model.load_state_dict(safetensors.torch.load_file("{folder / self.file}"))'
        return f"{load}, of a model of the same sizes that {self.title}'s code has built"

    def said(self, folder: Path, images: Tensor) -> Tensor | None:
        """The logits [B, Y] that the library gives for what was written into a folder; None where it is not here."""
        return None

    def why_unlike(self, spec: ViTSpec) -> str:
        """What its library has otherwise, in a clause, where a model may be written all the same: empty for nothing."""
        return ""

    def is_ignored(self, name: str) -> bool:
        """Whether a tensor of theirs is of no use here."""
        return any(fnmatchcase(name, pattern) for pattern in self.ignored)


def published_preprocessing(name: str, spec: ViTSpec, names: Sequence[str]) -> Preprocessing:
    """That of a published model by its name: the shorter side resized, the middle cut out, normalised."""
    usual = prepared(name)
    mean, std = (of_channels(values, spec.in_chans) for values in (usual.mean, usual.std))
    return cropped(spec.img_size, usual.crop, mean, std, names)


def of_channels(values: Sequence[float], channels: int) -> tuple[float, ...]:
    """Statistics of three colours for a model of so many channels: of other than three their mean for each."""
    return tuple(values) if len(values) == channels else (sum(values) / len(values),) * channels


def cropped(
    size: tuple[int, int],
    crop: float,
    mean: Sequence[float],
    std: Sequence[float],
    names: Sequence[str],
    fit: Fit = "crop",
    interpolation: Interpolation = "bicubic",
) -> Preprocessing:
    """Decoded larger than `size`, of which the middle is cut out; `crop` is the share of a side that stays."""
    decoded = tuple(int(side / crop) for side in size) if fit == "crop" else size
    ops: tuple[OpSpec, ...] = (center_crop.Spec(size=size),) if decoded != size else ()
    return Preprocessing(
        (decoded[0], decoded[1]), fit, ops, tuple(mean), tuple(std), tuple(names), interpolation=interpolation
    )


def class_names(content: Content, number: int) -> tuple[str, ...]:
    """The classes as config.json names them, or numbers from 0. One of a few of the same name has its number, too."""
    named = content.config.get("label_names") or _by_number(content.config.get("id2label"))
    if not isinstance(named, list) or len(named) != number:
        return numbered(number)
    texts = list(map(str, named))
    often = Counter(texts)
    told = tuple(text if often[text] == 1 else f"{text} ({index})" for index, text in enumerate(texts))
    return told if len(set(told)) == number else numbered(number)


def numbered(number: int) -> tuple[str, ...]:
    """What classes without names are called: '0', '1' …"""
    return tuple(map(str, range(number)))


def are_numbers(names: Sequence[str]) -> bool:
    """Whether classes are numbered and not named, as those of weights without anything beside them."""
    return tuple(names) == numbered(len(names))


def _by_number(labels: Any) -> list[Any]:
    """transformers writes the numbers as texts, in the order of texts: 0, 1, 10, 2. Empty if it is no such table."""
    if not isinstance(labels, Mapping) or not all(_NUMBER.fullmatch(str(number)) for number in labels):
        return []
    by_number = {int(number): label for number, label in labels.items()}
    return [by_number[number] for number in sorted(by_number)]
