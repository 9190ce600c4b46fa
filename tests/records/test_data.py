"""The record of a run's pictures, and what it tells a person."""

from dataclasses import replace

import pytest

from tests.records.checks import check_record
from vitlab.base.errors import SpecError
from vitlab.records.data import DataRecord, Depth, Found, FoundSplit, SplitRecord

TRAIN, TEST = FoundSplit(20, {"cat": 12, "dog": 8}, "f00"), FoundSplit(4, {"cat": 2, "dog": 2}, "f01")
DARK = Depth(24, 4095.0, 0.0, 65535.0)
FOUND = Found("train/, test/, with a folder for every class", {"train": TRAIN, "test": TEST})


def test_it_comes_back_as_it_was_written(tmp_path):
    found = replace(
        FOUND, notes=("odd",), not_pictures={".heic": 3}, depths={"16": Depth(24, 4095.0)}, copies={"train": 2}
    )
    record = DataRecord(
        "exact", SplitRecord(18), SplitRecord(2, 1, ("größer.png",)), SplitRecord(4), ("cat", "dog"), found
    )
    check_record(record, tmp_path, ["order", "train", "val", "test"], ["train", "found"])
    assert DataRecord.read(tmp_path) == record


def test_a_record_without_a_look_is_read(tmp_path):
    DataRecord("exact", SplitRecord(1), SplitRecord(0), SplitRecord(1)).write(tmp_path)
    assert DataRecord.read(tmp_path).found is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "train 20, test 4 images of 2 classes (train/, test/, with a folder for every class)"),
        ({"notes": ("val/ is the test split",)}, "val/ is the test split"),
        ({"not_pictures": {".txt": 2, ".heic": 40}}, "by suffix: 40 .heic, 2 .txt; .heic: convert them to JPEG"),
        ({"copies": {"train": 1}}, "1 image is in train more than once (the same content)"),
        ({"copies": {"train, test": 3}}, "3 images are in both train and test (the same content)"),
        ({"depths": {"16": DARK}}, "24 images of 16 bits is 4095, of 65535: almost black; data.white=4095 makes it"),
        ({"depths": {"0": Depth(2, 0.01, 0.0, 1.0)}}, "2 images in floating point is 0.01, of 1: almost black"),
        ({"depths": {"0": Depth(2, 1.1, 0.0, 1.0)}}, "is 1.1, and white is 1: whatever is above it is white, too"),
        ({"depths": {"32": Depth(1, 2.0**32 - 1, 0.0, 65535.0)}}, "data.white=4294967295 keeps all differences"),
        ({"depths": {"16": Depth(1, 65535.0, -1024.0, 65535.0)}}, "is -1024: whatever is below 0 is black; add 1024"),
        ({"see_through": 5}, "a band of 5 images was taken for transparency"),
        ({"splits": {"train": FoundSplit(100, {"cat": 95, "dog": 5})}}, "95% of the training images are cat"),
    ],
)
def test_what_a_person_is_told(changed, said):
    assert any(said in sentence for sentence in replace(FOUND, **changed).told())


@pytest.mark.parametrize(
    "fine",
    [
        {"depths": {"16": Depth(24, 60_000.0, 0.0, 65535.0), "8": Depth(2, 255.0, 0.0, 255.0)}},
        {"depths": {"16": Depth(24, 4095.0)}},  # a record from before the white level was kept
        {"depths": {"16": Depth(24, 4095.0, 0.0, 4095.0)}},
        {},
    ],
)
def test_what_is_as_usual_is_not_mentioned(fine):
    assert len(replace(FOUND, **fine).told()) == 1


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"train": replace(TRAIN, fingerprint="new"), "test": TEST}, ["train: as many images as before, with other"]),
        ({"train": TRAIN}, ["the test split is gone"]),
        (
            {"train": FoundSplit(21, {"cat": 12, "emu": 9}, "new"), "test": TEST},
            ["class dog of train is gone", "class emu of train is new"],
        ),
        ({"train": FoundSplit(21, {"cat": 13, "dog": 8}, "new"), "test": TEST}, ["train images of cat: 12 → 13"]),
    ],
)
def test_what_has_changed(now, said):
    changes = FOUND.changes(replace(FOUND, splits=now))
    assert len(changes) == len(said)
    assert all(text in change for text, change in zip(said, changes, strict=True))
    assert FOUND.changes(replace(FOUND, layout="moved", notes=("other",))) == []


def test_what_cannot_be_counted_is_damage():
    with pytest.raises(SpecError, match="images=-1: must be 0 or more"):
        SplitRecord(-1)
    with pytest.raises(SpecError, match=r"classes\.cat=-2: must be 0 or more"):
        FoundSplit(3, {"cat": -2})
    with pytest.raises(SpecError, match="depths: 'many' is no number of bits"):
        Found("", {}, depths={"many": Depth(1, 255.0)})
