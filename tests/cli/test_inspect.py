"""`vitlab inspect`: a page of what goes on inside."""

import json

import numpy as np
import pytest
from PIL import Image

from vitlab.records.inside import read_inside


@pytest.fixture
def seven(tmp_path):
    path = tmp_path / "seven.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
    return path


def test_of_a_run_its_own_test_images(vitlab, finished, tmp_path):
    answer = vitlab("inspect", finished, "--images", "3", "--test-images", "32", "--out", tmp_path / "in", "--json")
    page = json.loads(answer.out)["page"]
    text = (tmp_path / "in" / "inside.html").read_text()
    assert page == str(tmp_path / "in" / "inside.html")
    assert "points of accuracy" in text
    found = read_inside(tmp_path / "in")
    assert len(found.told.names) == 3
    assert set(found.told.labels) <= {str(digit) for digit in range(10)}
    assert found.told.knockouts["images"] == 32
    assert found.told.curve["removable"] >= 0
    (tmp_path / "in" / "inside.html").unlink()
    vitlab("report", tmp_path / "in")
    assert (tmp_path / "in" / "inside.html").read_text() == text


def test_two_models_beside_each_other_and_pictures_of_ones_own(vitlab, finished, exported, seven, tmp_path):
    other = seven.with_name("other.png")
    other.write_bytes(seven.read_bytes())
    out = tmp_path / "in"
    answer = vitlab("inspect", finished, exported, "--images", seven, other, "--test-images", "0", "--out", out)
    assert f"page: {out / 'inside.html'}" in answer.out
    ours, theirs = read_inside(out), read_inside(out / "other")
    assert ours.told.names == theirs.told.names == ("seven.png", "other.png")
    assert "knockouts" not in theirs.told.knockouts
    assert (out / "inside.html").read_text().count("<template") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("{run}", "{run}", "{run}"), "3 models: one, or two side by side"),
        (("{run}", "--images", "nowhere.png"), "nowhere.png"),
        (("{exported}",), "does not say what it was trained on: name pictures with --images, or --data"),
        (("{run}", "--images", "0"), "no pictures were given to look at"),
    ],
)
def test_mistakes(vitlab, finished, exported, tmp_path, words, said):
    given = [word.format(run=finished, exported=exported) for word in words]
    answer = vitlab("inspect", *given, "--test-images", "0", "--out", tmp_path / "in")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
