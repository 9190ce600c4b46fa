"""Tables of names, one row a tensor or a few that belong together; read in both directions.

    Row("blocks.{i}.norm1.{p}", "encoder.layer.{i}.layernorm_before.{p}")
    Row("blocks.{i}.attn.qkv.{p}", ("encoder.layer.{i}.query.{p}", "encoder.layer.{i}.key.{p}", …))

A word in braces stands for one step of a name, `{*}` for all that is left, `{i+1}` for a number that is greater by one
than what the other side calls `{i}`. Of several rows that fit a name the first counts. Where one side has several
tensors and the other one, that one is these side by side, along `axis`. A None among theirs is a tensor that they do
not have because it is zero: a key's bias, say. A `Layout` says how the numbers of one of their tensors stand in ours.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.base.errors import CheckpointError

Tensors = Mapping[str, Tensor]
Names = str | tuple[str | None, ...]
_FIELD = re.compile(r"\{(\*|\w+(?:\+1)?)\}")


class Layout(NamedTuple):
    """How one of their tensors becomes one of ours, and back."""

    ours: Callable[[Tensor], Tensor]
    theirs: Callable[[Tensor], Tensor]


def permuted(*axes: int) -> Layout:
    """Their axes in another order: ours is `theirs.permute(axes)`."""
    back = tuple(axes.index(axis) for axis in range(len(axes)))
    return Layout(lambda tensor: tensor.permute(axes), lambda tensor: tensor.permute(back))


AS_IT_IS = Layout(lambda tensor: tensor, lambda tensor: tensor)
TRANSPOSED = permuted(1, 0)


@dataclass(frozen=True)
class Row:
    """`ours` and `theirs`: a name, or several that belong together. `sizes`: of ours along `axis`, where one tensor of
    theirs is several of ours; -1 is what is left. They are told by their other tensors. `beside`: a tensor of theirs
    without which the row does not count.
    """

    ours: Names
    theirs: Names
    layout: Layout = AS_IT_IS
    axis: int = 0
    sizes: Callable[[Tensors], Sequence[int]] | None = None
    beside: str = ""

    def among(self, names: Collection[str], side: str) -> "Iterator[Bound]":
        """The row for everything that it fits among `names`, which are "ours" or "theirs"."""
        if self.beside and side == "theirs" and self.beside not in names:
            return
        needed = [template for template in _several(getattr(self, side)) if template is not None]
        patterns = [_pattern(template) for template in needed]
        matches = [_words(match) for name in names for pattern in patterns if (match := pattern.fullmatch(name))]
        for words in {tuple(match.items()): match for match in matches}.values():
            if all(_filled(template, words) in names for template in needed):
                yield Bound(
                    tuple(_filled(name, words) for name in _several(self.ours) if name is not None),
                    tuple(name and _filled(name, words) for name in _several(self.theirs)),
                    self,
                )


class Bound(NamedTuple):
    """A row of which all names are filled in."""

    ours: tuple[str, ...]
    theirs: tuple[str | None, ...]
    row: Row

    def read(self, tensors: Tensors) -> dict[str, Tensor]:
        """Our tensors of theirs. Raises CheckpointError for what cannot be laid out so."""
        given = {name: tensors[name] for name in self.theirs if name is not None}
        try:
            laid = {name: self.row.layout.ours(tensor) for name, tensor in given.items()}
            like = next(iter(laid.values()))
            parts = [torch.zeros_like(like) if name is None else laid[name] for name in self.theirs]
            joined = parts[0] if len(parts) == 1 else torch.cat(parts, self.row.axis)
            return dict(zip(self.ours, self._split(joined, tensors), strict=True))
        except (RuntimeError, IndexError, ValueError, KeyError) as error:
            sizes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in given.items())
            raise CheckpointError(f"{' and '.join(self.ours)} cannot be made of {sizes}: {error}") from None

    def _split(self, joined: Tensor, tensors: Tensors) -> Sequence[Tensor]:
        if self.row.sizes is None:
            return (joined,) if len(self.ours) == 1 else joined.chunk(len(self.ours), self.row.axis)
        sizes = list(self.row.sizes(tensors))
        rest = joined.shape[self.row.axis] - sum(size for size in sizes if size >= 0)
        return joined.split([rest if size < 0 else size for size in sizes], self.row.axis)

    def write(self, tensors: Tensors) -> dict[str, Tensor]:
        """Their tensors of ours. Raises CheckpointError where ours has what theirs cannot hold."""
        parts = [tensors[name] for name in self.ours]
        joined = parts[0] if len(parts) == 1 else torch.cat(parts, self.row.axis)
        written = {}
        for name, tensor in zip(self.theirs, joined.chunk(len(self.theirs), self.row.axis), strict=True):
            if name is not None:
                written[name] = self.row.layout.theirs(tensor).contiguous()
            elif tensor.count_nonzero():
                raise CheckpointError(
                    f"{' and '.join(self.ours)}: a part of it is not zero that this format leaves out"
                )
        return written


def bound(rows: Sequence[Row], names: Iterable[str], side: str) -> tuple[list[Bound], list[str]]:
    """The rows for names of one side, each name in one row; and the names that no row fits."""
    left = dict.fromkeys(names)
    fitting: list[Bound] = []
    for row in rows:
        for found in list(row.among(left.keys(), side)):
            fitting.append(found)
            for name in getattr(found, side):
                left.pop(name, None)
    return fitting, list(left)


def _several(names: Names) -> tuple[str | None, ...]:
    return (names,) if isinstance(names, str) else names


def _pattern(template: str) -> re.Pattern[str]:
    parts = _FIELD.split(template)  # text, word, text, …
    return re.compile("".join(re.escape(part) if index % 2 == 0 else _group(part) for index, part in enumerate(parts)))


def _group(word: str) -> str:
    if word == "*":
        return "(?P<rest>.+)"
    return rf"(?P<{word.removesuffix('+1')}_more>[1-9]\d{{0,3}})" if word.endswith("+1") else rf"(?P<{word}>[^./]+)"


def _words(match: re.Match[str]) -> dict[str, str]:
    """What each word stands for, as the side has it that counts from zero."""
    found = match.groupdict()
    return {
        word.removesuffix("_more"): str(int(text) - 1) if word.endswith("_more") else text
        for word, text in found.items()
    }


def _filled(template: str, words: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: _text(match[1], words), template)


def _text(word: str, words: Mapping[str, str]) -> str:
    if word.endswith("+1"):
        return str(int(words[word.removesuffix("+1")]) + 1)
    return words["rest" if word == "*" else word]
