"""glimpse.npz: written, read, and refused where it is damaged."""

import numpy as np
import pytest

from vitlab.base.errors import DataError
from vitlab.records.glimpse import FILE, Glimpse, read_glimpse

PICTURE = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
GRID = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(("attention", "positions"), [(GRID, GRID), (None, GRID), (GRID, None), (None, None)])
def test_it_comes_back_as_it_was(attention, positions, tmp_path):
    Glimpse("test", PICTURE, attention, positions).write(tmp_path)
    found = read_glimpse(tmp_path)
    np.testing.assert_array_equal(found.picture, PICTURE)
    for one, other in ((found.attention, attention), (found.positions, positions)):
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)


def test_there_need_be_none(tmp_path):
    assert read_glimpse(tmp_path) is None


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (Glimpse("tests", PICTURE), "split is 'tests'"),
        (Glimpse("test", PICTURE[..., :2]), "is not one of 1 or 3 channels"),
        (Glimpse("test", PICTURE.astype(float)), "is not one of 1 or 3 channels"),
        (Glimpse("test", PICTURE, GRID * np.nan), "attention .* is not a grid of numbers"),
        (Glimpse("test", PICTURE, None, GRID[0]), "positions .* is not a grid of numbers"),
    ],
)
def test_what_is_no_glimpse_is_refused(broken, why, tmp_path):
    broken.write(tmp_path)
    with pytest.raises(DataError, match=f"glimpse.npz is damaged: .*{why}.*; remove it to do without"):
        read_glimpse(tmp_path)


def test_an_archive_without_a_picture_is_refused(tmp_path):
    np.savez(tmp_path / FILE, split="test")
    with pytest.raises(DataError, match="it has no picture"):
        read_glimpse(tmp_path)
