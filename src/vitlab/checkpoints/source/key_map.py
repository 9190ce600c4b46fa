"""A table of one's own, for tensors of a model that no source knows: a small file of TOML.

    ignore = ['decoder\\..*']                                  # patterns of tensors that are of no use

    [[tensor]]
    theirs = 'encoder\\.(\\d+)\\.attention\\.in_proj_weight'      # a regular expression, for the whole name
    ours = 'blocks.\\1.attn.qkv.weight'                        # what it is called here

    [[tensor]]
    theirs = 'to_patch\\.weight'                               # [D, rows · columns · channels]
    ours = 'patch_embed.proj.weight'
    reshape = [-1, 16, 16, 3]                                 # then its axes in another order
    permute = [0, 3, 1, 2]

`transpose = true` is short for `permute = [1, 0]`. The names in `split`, in place of `ours`, share one tensor, split
along its first axis; `part = [0, 3]` says that a tensor is the first of three that one of ours is made of. Of several
entries that fit a name the first counts. What no entry fits keeps its name.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError, SpecError
from vitlab.base.spec import from_dict
from vitlab.base.words import some
from vitlab.checkpoints.source._base import Content, SourceSpec
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec

_LONGEST = 1 << 20  # bytes of such a file


@dataclass(frozen=True)
class Entry:
    """One entry of the table."""

    theirs: str
    ours: str = ""
    split: tuple[str, ...] = ()
    transpose: bool = False
    reshape: tuple[int, ...] = ()
    permute: tuple[int, ...] = ()
    part: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        if bool(self.ours) == bool(self.split):
            raise SpecError(f"theirs={self.theirs!r}: needs either ours, a name, or split, several")

    def laid(self, tensor: Tensor) -> Tensor:
        """Their tensor as ours is laid out."""
        reshaped = tensor.reshape(self.reshape) if self.reshape else tensor
        axes = (1, 0) if self.transpose else self.permute
        return reshaped.permute(axes) if axes else reshaped

    def names(self, match: re.Match[str]) -> list[str]:
        """Ours, for a name of theirs."""
        try:
            return [match.expand(name) for name in self.split or (self.ours,)]
        except (re.error, IndexError) as error:
            raise CheckpointError(f"theirs={self.theirs!r}: {error} in {some(self.split or (self.ours,))}") from None


@dataclass(frozen=True)
class Table:
    """What stands in the file."""

    tensor: tuple[Entry, ...]
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spec(SourceSpec):
    """`table`: the file."""

    title: ClassVar[str] = "the key map's"
    writes: ClassVar[bool] = False
    table: str = ""

    def __post_init__(self) -> None:
        if not self.table:
            raise SpecError("source=key_map: name its table with --key-map FILE")

    def recognises(self, content: Content) -> bool:
        return False

    def tensors(self, content: Content) -> Mapping[str, Tensor]:
        table = _read(Path(self.table))
        parts: dict[str, dict[int, Tensor]] = {}
        for name, tensor in content.tensors.items():
            if not any(_fits(pattern, name) for pattern in table.ignore):
                for ours, part, piece in _placed(table, name, tensor):
                    parts.setdefault(ours, {})[part] = piece
        return {name: _joined(pieces, name) for name, pieces in parts.items()}

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        return (Row("{*}", "{*}"),)


def _read(path: Path) -> Table:
    try:
        if path.stat().st_size > _LONGEST:
            raise CheckpointError(f"{path} is longer than {_LONGEST:,} bytes: no table of names")
        return from_dict(Table, tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, SpecError) as error:
        raise CheckpointError(f"{path}: {error}") from None


def _placed(table: Table, name: str, tensor: Tensor) -> Iterator[tuple[str, int, Tensor]]:
    """Our names for one of their tensors, which part of ours it is, and its numbers."""
    for entry in table.tensor:
        if (match := _fits(entry.theirs, name)) is not None:
            names = entry.names(match)
            pieces = entry.laid(tensor).chunk(len(names)) if len(names) > 1 else (entry.laid(tensor),)
            if len(pieces) != len(names):
                shape = list(entry.laid(tensor).shape)
                raise CheckpointError(f"{some([name])}: {shape} cannot be split into {len(names)} along the first axis")
            yield from ((ours, entry.part[0], piece) for ours, piece in zip(names, pieces, strict=True))
            return
    yield "pos_embed.weight" if name == "pos_embed" else name, 0, tensor  # which is timm's name, as our others are


def _fits(pattern: str, name: str) -> re.Match[str] | None:
    try:
        return re.fullmatch(pattern, name)
    except re.error as error:
        raise CheckpointError(f"{pattern!r} is no regular expression: {error}") from None


def _joined(pieces: Mapping[int, Tensor], name: str) -> Tensor:
    if len(pieces) == 1:
        return next(iter(pieces.values()))
    if sorted(pieces) != list(range(len(pieces))):
        raise CheckpointError(f"{name}: of its parts only {sorted(pieces)} are there")
    return torch.cat([pieces[part] for part in sorted(pieces)])
