"""Parquet tables drawn at random: splits, shards, kinds of labels, copies, rows that cannot be read.

Held: every picture is used once, under its label, or listed as left out; what two splits share is said; the fingerprint
follows the content in its order, and neither the folder nor the shards that the rows are divided into.
"""

import io
import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import datasets
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from vitlab.base.errors import DataError
from vitlab.data.images import Images, ImageSet
from vitlab.data.sets.parquet import Spec
from vitlab.data.tables import Columns, Labels, numbered

BROKEN, ABSENT = -1, -2  # in place of a picture's number: bytes that are none, and nothing
ROLES = {"train": "train", "training": "train", "test": "test", "testing": "test", "validation": "val", "dev": "val"}
KINDS = {  # the values that label three classes
    "numbers": (0, 1, 2),
    "identifiers": (-7, 3, 90_000_000_000),
    "words": ("Ünïcode", "cat", "a b"),
    "names": (0, 1, 2),  # of a ClassLabel
    "truth": (False, True),
}
NAMES = ["cow", "ant", "bee"]


@dataclass(frozen=True)
class Row:
    """A row of a table: the number of its picture, and of its class."""

    picture: int
    label: int

    @property
    def readable(self) -> bool:
        """Whether there is a picture."""
        return self.picture >= 0


@dataclass(frozen=True)
class Table:
    """A set: rows by split's name, where each split is cut into shards, and the kind of its labels."""

    splits: dict[str, list[Row]]
    cuts: dict[str, list[int]]
    kind: str

    def shards(self, split: str) -> list[list[Row]]:
        """The rows of each of a split's files."""
        ends = [0, *self.cuts[split], len(self.splits[split])]
        return [self.splits[split][start:end] for start, end in itertools.pairwise(ends)]

    def file(self, split: str, shard: int) -> str:
        """A shard's name."""
        return f"{split}-{shard:05d}-of-{len(self.cuts[split]) + 1:05d}.parquet"

    def named(self, label: int) -> str:
        """What a class is called."""
        return NAMES[label] if self.kind == "names" else str(KINDS[self.kind][label])

    def left_out(self) -> list[str]:
        """What the record must list."""
        return [
            f"{self.file(split, number)}, row {place}"
            for split in self.splits
            for number, rows in enumerate(self.shards(split))
            for place, row in enumerate(rows)
            if not row.readable
        ]

    def readable(self, split: str) -> list[tuple[int, str]]:
        """The pictures of a split that can be used, in order, with their classes' names."""
        return [(row.picture, self.named(row.label)) for row in self.splits[split] if row.readable]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Splits of two to twelve rows, of which each class has one that can be read, or two to be divided."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    labels = range(len(KINDS[kind]))
    names = draw(st.sampled_from([("train",), ("train", "test"), ("training", "testing"), ("train", "dev", "test")]))
    pictures = st.sampled_from([*range(6), *range(6), BROKEN, ABSENT])
    splits, cuts = {}, {}
    for name in names:
        good = [Row(draw(st.integers(0, 5)), label) for label in labels for _ in range(2 if len(names) == 1 else 1)]
        more = draw(st.lists(st.builds(Row, pictures, st.sampled_from(labels)), max_size=6))
        splits[name] = draw(st.permutations([*good, *more]))
        cuts[name] = draw(_cuts(len(splits[name])))
    return Table(splits, cuts, kind)


def _cuts(rows: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, rows - 1), unique=True, max_size=2).map(sorted)


def write(table: Table, folder: Path) -> None:
    """The table as files."""
    folder.mkdir(parents=True, exist_ok=True)
    values = KINDS[table.kind]
    kinds = {"numbers": "int32", "identifiers": "int64", "words": "string", "truth": "bool"}
    label = datasets.ClassLabel(names=NAMES) if table.kind == "names" else datasets.Value(kinds[table.kind])
    features = datasets.Features({"image": datasets.Image(), "label": label})
    for split in table.splits:
        for number, rows in enumerate(table.shards(split)):
            columns = {"image": [_stored(row) for row in rows], "label": [values[row.label] for row in rows]}
            shard = datasets.Dataset.from_dict(columns, features=features)
            shard.to_parquet(folder / table.file(split, number))


def _stored(row: Row) -> dict[str, bytes | None] | None:
    """Sixteen pixels whose red is the picture's number; or what is no picture."""
    if row.picture == ABSENT:
        return None
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (40 * max(row.picture, 0), 3, 9)).save(buffer, "PNG")
    return {"bytes": b"no picture" if row.picture == BROKEN else buffer.getvalue(), "path": None}


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder, and in it a cache of our own."""
    datasets.disable_progress_bars()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, {"VITLAB_CACHE": f"{folder}/cache"}),
    ):
        yield Path(folder)


def look(table: Table, folder: Path) -> ImageSet:
    """What is found there."""
    renumber = table.kind == "identifiers"
    return Spec(path=str(folder), img_size=(4, 4), max_unreadable=0.9, renumber=renumber).look()


def used(images: Images, class_names: Sequence[str]) -> list[tuple[int, str]]:
    """The numbers of the pictures of a split, with their classes' names."""
    numbers = (images.pixels[:, 0, 0, 0].int() // 40).tolist()
    return [(number, class_names[label]) for number, label in zip(numbers, images.labels.tolist(), strict=True)]


@pytest.mark.slow
@settings(max_examples=25)
@given(tables())
def test_every_picture_is_used_once_or_listed_and_what_splits_share_is_said(table):
    with scratch() as folder:
        write(table, folder / "set")
        found = look(table, folder / "set")
    parts = {"train": found.train, "val": found.val, "test": found.test}
    splits = {role: used(part, found.class_names) for role, part in parts.items() if part is not None}
    if len(table.splits) == 1:  # its test split is a part of it
        assert Counter(splits["train"] + splits["test"]) == Counter(table.readable("train"))
    else:
        assert splits == {ROLES[name]: table.readable(name) for name in table.splits}
    assert sorted(name for names in found.unreadable.values() for name in names) == sorted(table.left_out())
    said = found.found.copies
    for role, pictures in splits.items():
        numbers = [number for number, _ in pictures]
        assert said.get(role, 0) == len(numbers) - len(set(numbers))
    for one, other in itertools.combinations(found.found.splits, 2):
        seen = {number for number, _ in splits[one]}
        assert said.get(f"{one}, {other}", 0) == sum(number in seen for number, _ in splits[other])


@pytest.mark.slow
@settings(max_examples=20)
@given(tables(), st.data())
def test_the_fingerprint_changes_exactly_when_the_content_does(table, data):
    """Another folder and other shards are the same data; another picture, class or order is not."""
    split = data.draw(st.sampled_from(sorted(table.splits)))
    other = replace(table, cuts=table.cuts | {split: data.draw(_cuts(len(table.splits[split])))})
    changed = replace(other, splits=other.splits | {split: data.draw(_changed(other.splits[split], table.kind))})
    with scratch() as folder:
        write(table, folder / "one")
        write(other, folder / "two")
        write(changed, folder / "three")
        before = look(table, folder / "one").found
        assert before.changes(look(other, folder / "two").found) == []
        shutil.move(folder / "two", folder / "moved")
        assert before.changes(look(other, folder / "moved").found) == []
        try:
            after = look(changed, folder / "three").found
        except DataError:  # a class has lost its last training picture
            assume(False)
        assert before.changes(after) != []


@st.composite
def _changed(draw: st.DrawFn, rows: list[Row], kind: str) -> list[Row]:
    """The rows with one of them replaced, or put elsewhere."""
    at = draw(st.integers(0, len(rows) - 1))
    row = rows[at]
    what = draw(st.sampled_from(["picture", "label", "order"]))
    if what == "picture":
        return [*rows[:at], replace(row, picture=(row.picture + 1) % 6), *rows[at + 1 :]]
    if what == "label":
        return [*rows[:at], replace(row, label=(row.label + 1) % len(KINDS[kind])), *rows[at + 1 :]]
    moved = [*rows[:at], *rows[at + 1 :], row]
    assume(moved != rows)
    return moved


@pytest.mark.slow
@given(st.lists(st.integers(-3, 6), min_size=1), st.booleans())
def test_numbers_are_classes_that_count_from_zero_or_each_becomes_one(values, renumber):
    different = sorted(set(values))
    labels = {"train": Labels(different, np.searchsorted(different, values))}
    from_zero = [value for value in different if value >= 0]
    columns = Columns("image", "label", None)
    if renumber:
        names, numbers = numbered(labels, columns, renumber)
        assert names == tuple(map(str, different))
        assert [different[number] for number in numbers["train"].tolist()] == values
    elif from_zero == list(range(len(from_zero))):
        names, numbers = numbered(labels, columns, renumber)
        assert names == tuple(map(str, from_zero))
        assert numbers["train"].tolist() == values
    else:
        with pytest.raises(DataError, match=r"data\.renumber=true"):
            numbered(labels, columns, renumber)


def test_rows_without_a_label_are_counted(tmp_path, cache_folder):
    """A null is no class of its own."""
    datasets.disable_progress_bars()
    stored = [_stored(Row(number, 0)) for number in range(3)]
    for split in ("train", "test"):
        table = datasets.Dataset.from_dict(
            {"image": stored, "label": ["cat", "dog", None]},
            features=datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")}),
        )
        table.to_parquet(tmp_path / f"{split}-00000-of-00001.parquet")
    with pytest.raises(DataError, match="the train split has 1 row without a label"):
        Spec(path=str(tmp_path), img_size=(4, 4)).look()
