"""What a run said of the test images."""

import numpy as np
import pytest

from tests.report.conftest import predictions
from vitlab.base.errors import DataError
from vitlab.records.predictions import FILE, Predictions, read_predictions


def test_they_come_back(tmp_path):
    assert read_predictions(tmp_path) is None
    written = Predictions(**{**predictions(10, 1, 7), "split": "test"})
    written.write(tmp_path)
    read = read_predictions(tmp_path)
    for name in ("labels", "probabilities", "mistakes", "mistake_pixels"):
        assert np.array_equal(getattr(read, name), getattr(written, name))
    assert (read.split, read.num_correct) == ("test", 353)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(3, int)}, "do not fit probabilities"),
        ({"labels": np.full(360, 10)}, "not classes from 0 to 9"),
        ({"split": np.array("holdout")}, "split is 'holdout'"),
        ({"mistakes": np.full(7, 360)}, "not indices of 360 images"),
        ({"mistakes": np.full(7, 100)}, "classified rightly"),
        ({"mistake_pixels": np.zeros((7, 8, 8, 2), np.uint8)}, "not 7 pictures"),
        ({"mistake_pixels": np.zeros((7, 8, 8, 3))}, "not 7 pictures"),
        ({"labels": np.array([{}] * 360)}, "damaged"),  # a pickle, which must never be opened
    ],
)
def test_what_does_not_fit_together_is_damaged(tmp_path, changes, message):
    np.savez(tmp_path / FILE, **predictions(10, 1, 7) | changes)
    with pytest.raises(DataError, match=message):
        read_predictions(tmp_path)


@pytest.mark.parametrize("kept", [0, 20, 0.5])
def test_what_is_cut_off_is_damaged(tmp_path, kept):
    np.savez(tmp_path / FILE, **predictions(10, 1, 7))
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(data[: int(kept if kept != 0.5 else len(data) / 2)])
    with pytest.raises(DataError, match=rf"{FILE} is damaged"):
        read_predictions(tmp_path)


def test_confusion_and_the_commonest_mistakes():
    labels, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 2, 2])
    nothing = np.zeros(0, int), np.zeros((0, 8, 8, 1), np.uint8)
    said = Predictions("test", labels, np.eye(3, dtype=np.float32)[predicted], *nothing)
    assert said.confusion().tolist() == [[1, 2, 0], [0, 1, 1], [0, 0, 1]]
    assert said.most_confused(15) == [(0, 1, 2), (1, 2, 1)]
    assert said.most_confused(1) == [(0, 1, 2)]
    assert said.num_correct == 3


def test_many_classes_take_no_table_of_all_pairs():
    probabilities = np.zeros((3, 100_000), np.float32)
    probabilities[:, 7] = 1.0
    nothing = np.zeros(0, int), np.zeros((0, 1, 1, 1), np.uint8)
    assert Predictions("test", np.array([5, 5, 7]), probabilities, *nothing).most_confused(3) == [(5, 7, 2)]
