"""Tables of pictures and labels, opened by Hugging Face `datasets`: parquet files, or a data set on the hub.

`datasets` is imported where it is used: that takes most of a second.
"""

import sys
import tempfile
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.base.words import counted, shortened, some
from vitlab.data.decode import Frame, Unreadable
from vitlab.data.encoded import Encoded
from vitlab.data.ingest import Listing
from vitlab.data.reach import NOWHERE, Reach, of_hub

Shards = Sequence[tuple[str, int]]  # what follows each other in a table: names, and numbers of rows

_THROWN_AWAY = 1 << 30  # bytes of parquet files of which no copy is kept: making it again takes seconds
_SHOWN = 300  # characters in a message of what a table has

# ------------------------------------------------------------------------------------------------------ opening


def open_files(files: Mapping[str, Sequence[Path]], streaming: bool = False) -> dict[str, Any]:
    """The parquet files of each split, as one table a split. Raises DataError.

    A table that can be indexed is a memory map of a copy that `datasets` makes. Of small files it is deleted at once,
    and lives on as long as the map; of large ones it stays in the cache of `datasets`.
    """
    import datasets

    named = {split: [str(file) for file in shards] for split, shards in files.items()}
    large = sum(file.stat().st_size for shards in files.values() for file in shards) > _THROWN_AWAY
    try:
        with _quiet(), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            where = None if large else scratch
            return dict(datasets.load_dataset("parquet", data_files=named, cache_dir=where, streaming=streaming))
    except Exception as error:  # `datasets` and what it stands on raise whatever they like
        folder = next(iter(files.values()))[0].parent
        raise DataError(f"the parquet files in {folder} cannot be read: {_said(error)}") from None


def open_hub(
    repo: str, config: str | None = None, revision: str | None = None, streaming: bool = False
) -> dict[str, Any]:
    """A data set of the hub, one table a split: downloaded, found in the hub's own cache, or to be streamed."""
    import datasets

    if Path(repo).exists():
        raise DataError(
            f"hub:{repo} is ambiguous: `datasets` would read what is called {repo} in this folder, and not the hub. "
            f"To read that, parquet:./{repo} or folder:./{repo}; for the hub, work in another folder"
        )
    try:
        with _quiet():
            return dict(datasets.load_dataset(repo, config, revision=revision, streaming=streaming))
    except Exception as error:  # as above
        if "script" in str(error) and isinstance(error, RuntimeError):
            raise DataError(
                f"hub:{repo} needs a loading script, which `datasets` no longer runs; many sets have a branch of "
                "parquet files instead: data.revision=refs/convert/parquet"
            ) from None
        raise DataError(f"hub:{repo} cannot be opened: {_said(error)}") from None


def joined(tables: Mapping[str, Any]) -> Any:
    """Several tables, by name, as one. Raises DataError if their columns are not the same."""
    import datasets

    try:
        return datasets.concatenate_datasets(list(tables.values()))
    except ValueError:
        names = some(list(tables))
        raise DataError(f"{names} are no one table, as their columns differ; data.splits says what is used") from None


def _said(error: Exception) -> str:
    """What an error says; its kind, where it says nothing or only a name."""
    return f"{error}" if " " in f"{error}" else f"{type(error).__name__} {error}".strip()


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of `datasets` but on a terminal; whoever asked for them before gets them back."""
    import datasets

    hidden = datasets.are_progress_bars_disabled()
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not hidden:
            datasets.enable_progress_bars()


# ------------------------------------------------------------------------------------------------------ columns


@dataclass(frozen=True)
class Columns:
    """The column of pictures, the column of labels, and the classes' names, where the table has them.

    `words`: labels are texts, or truth values, and not numbers.
    """

    image: str
    label: str
    class_names: tuple[str, ...] | None
    words: bool = False

    @property
    def kind(self) -> str:
        """What labels are."""
        if self.class_names is not None:
            return counted(len(self.class_names), "class", "classes")
        return "words" if self.words else "numbers"


def columns(features: Mapping[str, Mapping[str, Any] | None], image: str | None, label: str | None) -> Columns:
    """Those asked for, else the only ones that can be meant, the same in all tables; `features` is by table's name.

    Raises DataError, which says what there is.
    """
    columns = {origin: _columns(origin, kinds or {}, image, label) for origin, kinds in features.items()}
    (first, chosen), *others = columns.items()
    for origin, other in others:
        if other != chosen:
            raise DataError(f"{first} and {origin} have different columns or classes: {_difference(chosen, other)}")
    return chosen


def _difference(one: Columns, other: Columns) -> str:
    ours, theirs = one.class_names, other.class_names
    if ours is None or theirs is None or ours == theirs:
        return "; ".join(f"{each.image}, {each.label} of {each.kind}" for each in (one, other))
    only = {"first": [n for n in ours if n not in set(theirs)], "second": [n for n in theirs if n not in set(ours)]}
    said = [f"only the {which} has {some(names)}" for which, names in only.items() if names]
    if not said:
        at = next(at for at, names in enumerate(zip(ours, theirs, strict=True)) if len(set(names)) > 1)
        said = [f"class {at} is {some(ours[at:][:1])} in the first, and {some(theirs[at:][:1])} in the second"]
    return "; ".join([f"{one.kind} and {other.kind}", *said])


def _columns(origin: str, kinds: Mapping[str, Any], image: str | None, label: str | None) -> Columns:
    import datasets

    pictures = [name for name, kind in kinds.items() if _is_picture(kind)]
    classes = [name for name, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)]
    numbers = [name for name in ("label", "labels") if _is_number(kinds.get(name)) or _is_word(kinds.get(name))]
    image = _chosen(origin, kinds, "image", image, pictures)
    label = _chosen(origin, kinds, "label", label, classes or numbers)
    if not _is_picture(kinds[image]):
        raise DataError(f"{origin}: its column {image} holds no pictures, but {_short(kinds[image])}")
    names, words = getattr(kinds[label], "names", None), _is_word(kinds[label])
    if names is None and not words and not _is_number(kinds[label]):
        raise DataError(
            f"{origin}: its column {label} holds neither class numbers nor words, but {_short(kinds[label])}; "
            "name another one: data.label=COLUMN"
        )
    return Columns(image, label, None if names is None else _class_names(origin, names), words)


def _class_names(origin: str, names: Sequence[str]) -> tuple[str, ...]:
    composed = tuple(map(_composed, names))
    if twice := [name for name, times in Counter(composed).items() if times > 1]:
        raise DataError(f"{origin} has two classes called {some(twice)}, in two spellings of Unicode; rename one")
    return composed


def _composed(text: str) -> str:
    """The one spelling of Unicode in which names are compared."""
    return unicodedata.normalize("NFC", text)


def _chosen(origin: str, kinds: Mapping[str, Any], what: str, name: str | None, fitting: Sequence[str]) -> str:
    has = _short(", ".join(kinds)) or "no columns whose kind is known"
    if name is not None:
        if name not in kinds:
            raise DataError(f"{origin} has no column {name}; it has {has}")
        return name
    if len(fitting) != 1:
        number = f"{len(fitting)} columns ({some(fitting)})" if fitting else "no column"
        raise DataError(f"{origin} has {number} that can be the {what}; name it: data.{what}=COLUMN. It has {has}")
    return fitting[0]


def _short(said: Any) -> str:
    return shortened(f"{said}", _SHOWN)


def _is_picture(kind: Any) -> bool:
    import datasets

    stored = isinstance(kind, Mapping) and {"bytes", "path"} <= set(kind)
    return stored or isinstance(kind, datasets.Image) or _plain_type(kind) in ("binary", "large_binary")


def _is_number(kind: Any) -> bool:
    return _plain_type(kind).startswith(("int", "uint", "float"))


def _is_word(kind: Any) -> bool:
    return _plain_type(kind) in ("string", "large_string", "bool")


def _plain_type(kind: Any) -> str:
    import datasets

    return str(kind.dtype) if isinstance(kind, datasets.Value) else ""


# ------------------------------------------------------------------------------------------------------- values


class Labels(NamedTuple):
    """A column of labels: its different values, and which of them every row has [n]."""

    different: Sequence[Any]
    which: np.ndarray


def listing(
    tables: Mapping[str, Any],
    named: Columns,
    frame: Frame,
    shards: Mapping[str, Shards],
    reach: Reach,
    renumber: bool = False,
) -> Listing:
    """The pictures of every split's table. Words are classes, in their order, and so are numbers if `renumber`.

    Raises DataError for rows without a label, and for numbers that cannot be counted from zero.
    """
    values = {split: _labels(table, named.label, f"the {split} split") for split, table in tables.items()}
    names, labels = numbered(values, named, renumber)
    splits = {
        split: Encoded(
            Column(table, named.image, shards[split], reach), torch.arange(len(labels[split])), labels[split], frame
        )
        for split, table in tables.items()
    }
    return Listing(splits, names, notes=_spellings(values) if named.words else ())


def hub_listing(
    tables: Mapping[str, Any], origin: str, image: str | None, label: str | None, frame: Frame, renumber: bool = False
) -> Listing:
    """The same of tables that `open_hub` opened: they say themselves what is in them."""
    named = columns({f"{origin} {split}": table.features for split, table in tables.items()}, image, label)
    shards = {split: [(f"{origin} {split}", len(table))] for split, table in tables.items()}
    return listing(tables, named, frame, shards, of_hub(), renumber)


def numbered(values: Mapping[str, Labels], named: Columns, renumber: bool) -> tuple[tuple[str, ...], dict[str, Tensor]]:
    """The classes' names, and each split's labels [n] int64. Raises DataError."""
    meant = {split: [_meant(value, named) for value in labels.different] for split, labels in values.items()}
    different = sorted({value for split in meant.values() for value in split})
    if named.class_names is not None:
        names = named.class_names
    elif named.words or renumber:
        names = tuple(map(str, different))
        places = {value: place for place, value in enumerate(different)}
        meant = {split: [places[value] for value in split_values] for split, split_values in meant.items()}
    else:
        names = _counted_from_zero(different, named.label)
    return names, {
        split: torch.from_numpy(np.array(meant[split], np.int64)[labels.which]) for split, labels in values.items()
    }


def _meant(value: Any, named: Columns) -> Any:
    """A label as a word or a whole number. Raises DataError for a fraction."""
    if named.words:
        return _composed(str(value))
    if isinstance(value, float) and not value.is_integer():
        raise DataError(
            f"the column {named.label} has {value:g}, and a class's number is whole; if another column has the "
            "classes: data.label=COLUMN"
        )
    return int(value)


def _counted_from_zero(different: Sequence[int], label: str) -> tuple[str, ...]:
    """The names of classes that are called by their numbers."""
    labelled = [number for number in different if number >= 0]  # a split for a contest has -1 instead
    if labelled and labelled[-1] != len(labelled) - 1:
        raise DataError(
            f"the column {label} has {counted(len(labelled), 'different number')} ({some(list(map(str, labelled)))}), "
            "and class numbers count from 0; data.renumber=true makes each of them a class"
        )
    return tuple(map(str, range(len(labelled))))


def _labels(table: Any, name: str, origin: str) -> Labels:
    import pyarrow.compute

    values = table.data.column(name)
    nothing = pyarrow.compute.sum(values.is_null(nan_is_null=True)).as_py()
    if nothing:
        raise DataError(f"{origin} has {counted(nothing, 'row')} without a {name}: leave them out of the table")
    different = values.unique()
    return Labels(different.to_pylist(), pyarrow.compute.index_in(values, different).to_numpy())


def _spellings(values: Mapping[str, Labels]) -> tuple[str, ...]:
    """What is to be said of words that are one class, and not of the same characters."""
    words = {str(word) for labels in values.values() for word in labels.different}
    twice = [word for word, times in Counter(map(_composed, words)).items() if times > 1]
    return (f"{some(sorted(twice))} in two spellings of Unicode: one class",) if twice else ()


class Column:
    """The pictures of a table, by row."""

    def __init__(self, table: Any, name: str, shards: Shards, reach: Reach = NOWHERE):
        self.values = table.data.column(name)
        self.shards, self.reach = shards, reach
        self.ends = list(accumulate(length for _, length in shards))

    def __getitem__(self, row: int) -> bytes | Path:
        """Picture `row`, encoded."""
        return picture_of(self.values[row].as_py(), self.reach)

    def identity(self, row: int) -> str:
        """Nothing: a table keeps its content when it is divided into other files."""
        return ""

    def name(self, row: int) -> str:
        """Its shard, its row there, and the name that the picture had before."""
        shard = bisect_right(self.ends, row)
        return name_of(self.values[row].as_py(), self.shards[shard][0], row - (self.ends[shard - 1] if shard else 0))


def picture_of(value: Any, reach: Reach = NOWHERE) -> bytes | Path:
    """What a table has in place of a picture: bytes, or bytes and a path of which one may be missing."""
    path = None
    if isinstance(value, Mapping):
        value, path = value.get("bytes"), value.get("path")
    if value is None and path:
        return reach.picture(path)
    if not isinstance(value, bytes):
        raise Unreadable("there is no picture")
    return value


def name_of(value: Any, shard: str, row: int) -> str:
    """What messages and records call a picture of a table."""
    path = value.get("path") if isinstance(value, Mapping) else None
    return f"{shard}, row {row}" + (f" ({Path(path).name})" if path else "")
