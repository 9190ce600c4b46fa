"""What a run scored of every picture."""

import numpy as np
import pytest

from vitlab.base.errors import DataError
from vitlab.records.pictures import PictureScores, file_of, read_pictures

FILE = file_of("test")
LABELS = np.arange(21) % 3
HITS = LABELS == 1
LOSSES = np.linspace(0, 2, 21).astype(np.float32)


def test_they_come_back(tmp_path):
    assert read_pictures(tmp_path, "test") is None
    PictureScores("test", LABELS, {"top1": HITS.astype(np.float32), "loss": LOSSES}).write(tmp_path)
    read = read_pictures(tmp_path, "test")
    assert read.split == "test"
    assert np.array_equal(read.labels, LABELS)
    assert read.scores["top1"].dtype == bool
    assert np.array_equal(read.scores["top1"], HITS)
    assert np.array_equal(read.scores["loss"], LOSSES)


def test_hits_are_kept_as_bits(tmp_path):
    """Ten thousand pictures of ten classes: some kilobytes, and most of them are the labels."""
    chances = np.random.default_rng(0)
    PictureScores("test", chances.integers(0, 10, 10_000), {"top1": chances.random(10_000) < 0.9}).write(tmp_path)
    with np.load(tmp_path / FILE) as arrays:
        assert arrays["bits_top1"].nbytes == 1_250
    assert (tmp_path / FILE).stat().st_size < 12_000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": np.array("holdout")}, "split is 'holdout', expected 'test'"),
        ({"labels": np.zeros((3, 7), int)}, "labels .* are not a class each"),
        ({"labels": np.zeros(21)}, "labels .* are not a class each"),
        ({"labels": np.array([{}] * 21)}, "damaged"),  # a pickle, which must never be opened
        ({"bits_top1": np.zeros(21, np.uint8)}, "bits_top1 .* are not 21 bits"),
        ({"bits_top1": np.zeros(3)}, "bits_top1 .* are not 21 bits"),
        ({"numbers_loss": np.zeros(20)}, "numbers_loss are not 21 numbers"),
        ({"numbers_loss": np.full(21, np.nan)}, "numbers_loss are not 21 numbers"),
    ],
)
def test_what_does_not_fit_together_is_damaged(tmp_path, changes, message):
    whole = {"split": np.array("test"), "labels": LABELS, "bits_top1": np.packbits(HITS), "numbers_loss": LOSSES}
    np.savez(tmp_path / FILE, **whole | changes)
    with pytest.raises(DataError, match=message):
        read_pictures(tmp_path, "test")


def test_every_held_out_split_has_a_file_of_its_own(tmp_path):
    for split, hits in (("test", HITS), ("val", ~HITS)):
        PictureScores(split, LABELS, {"top1": hits}).write(tmp_path)
    assert np.array_equal(read_pictures(tmp_path, "test").scores["top1"], HITS)
    assert np.array_equal(read_pictures(tmp_path, "val").scores["top1"], ~HITS)
    assert read_pictures(tmp_path, "train") is None
    (tmp_path / file_of("test")).rename(tmp_path / file_of("val"))
    with pytest.raises(DataError, match=r"pictures_val.npz is damaged: split is 'test', expected 'val'"):
        read_pictures(tmp_path, "val")


@pytest.mark.parametrize("lacking", ["split", "labels"])
def test_what_is_lacking_is_named(tmp_path, lacking):
    whole = {"split": np.array("test"), "labels": LABELS, "bits_top1": np.packbits(HITS)}
    np.savez(tmp_path / FILE, **{name: value for name, value in whole.items() if name != lacking})
    with pytest.raises(DataError, match=rf"{FILE} is damaged: it has no {lacking}"):
        read_pictures(tmp_path, "test")
