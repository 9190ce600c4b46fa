"""inside.npz, read from anybody."""

import json
from dataclasses import replace

import numpy as np
import pytest

from vitlab.base.errors import DataError
from vitlab.records.inside import FILE, Inside, InsideTold, quantised, read_inside

TOLD = InsideTold(
    title="tiny",
    model="1 block",
    classes=("a", "b"),
    names=("0",),
    labels=("a",),
    says=("a, 60%",),
    grid=(2, 3),
    img_size=(8, 12),
    own=("cls",),
    reads="cls",
    keys=(2, 3),
    pooled=(1, 1),
)
ARRAYS = {
    "pictures": np.zeros((1, 8, 12, 3), np.uint8),
    "rollout": np.zeros((1, 7, 7), np.uint8),
    "rollout_most": np.ones((1, 7), np.float32),
}


def test_shares_are_kept_in_steps_of_the_largest():
    rows = np.array([[0.0, 0.5, 0.25], [0.0, 0.0, 0.0]])
    steps, most = quantised(rows)
    assert steps.tolist() == [[0, 255, 128], [0, 0, 0]]
    assert most.tolist() == [0.5, 0.0]


def test_it_comes_back(tmp_path):
    Inside(TOLD, ARRAYS).write(tmp_path)
    assert read_inside(tmp_path).told == TOLD
    assert read_inside(tmp_path / FILE).arrays["rollout_most"].tolist() == [[1.0] * 7]


@pytest.mark.parametrize(
    ("arrays", "told", "said"),
    [
        ({"pictures": np.zeros((1, 8))}, {}, "it has no pictures"),
        ({"rollout": np.zeros((1, 7, 9), np.uint8)}, {}, r"rollout is \[1, 7, 9\]"),
        ({"rollout_most": np.full((1, 7), np.nan)}, {}, "rollout_most is not finite"),
        ({"pictures": np.full((1, 8, 12, 3), "x")}, {}, "pictures holds no numbers"),
        ({}, {"grid": (3, 3)}, "rollout is"),
        ({}, {"names": ("0", "1")}, "pictures is"),
    ],
)
def test_what_does_not_go_together_is_damage(arrays, told, said, tmp_path):
    Inside(replace(TOLD, **told), {**ARRAYS, **arrays}).write(tmp_path)
    with pytest.raises(DataError, match=said):
        read_inside(tmp_path)


@pytest.mark.parametrize("told", ["[]", "{}", '{"schema": 99}', "no json", json.dumps({"schema": 1, "title": 3})])
def test_what_is_told_is_damage(told, tmp_path):
    np.savez(tmp_path / FILE, told=np.array(told), **ARRAYS)
    with pytest.raises(DataError, match="is damaged"):
        read_inside(tmp_path)


def test_none_is_said(tmp_path):
    with pytest.raises(DataError, match=FILE):
        read_inside(tmp_path)
