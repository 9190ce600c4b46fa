import json

import numpy as np
import pytest
from PIL import Image

from vitlab.data.sets import digits


@pytest.fixture
def pictures(tmp_path):
    """The first three test digits as PNG files, 0.png, 1.png and 2.png."""
    for number, pixels in enumerate(digits.Spec().load().test.pixels[:3]):
        Image.fromarray(pixels[0].numpy()).save(tmp_path / f"{number}.png")
    return tmp_path


def test_a_digit_s_file_is_what_the_run_saw(vitlab, finished, pictures):
    """The probabilities are those that training recorded for the same images of the test split."""
    answer = vitlab("predict", finished, pictures, "--json")
    found = json.loads(answer.out)["predictions"]
    assert (answer.code, answer.err) == (0, "")
    assert [row["path"] for row in found] == [str(pictures / f"{number}.png") for number in range(3)]
    with np.load(finished / "predictions.npz") as recorded:
        for row, expected in zip(found, recorded["probabilities"], strict=False):
            order = np.argsort(-expected, kind="stable")[:5]
            assert [c["name"] for c in row["classes"]] == [str(index) for index in order]
            assert [c["probability"] for c in row["classes"]] == pytest.approx(expected[order].tolist(), abs=1e-5)


def test_what_a_person_sees(vitlab, finished, pictures):
    answer = vitlab("predict", finished, pictures / "0.png", pictures / "2.png")
    assert answer.out.count(".png") == 2
    assert "%" in answer.out


@pytest.mark.parametrize("json_too", [False, True])
def test_an_unreadable_picture_does_not_cost_the_others_their_answer(vitlab, finished, pictures, json_too):
    (pictures / "1.png").write_bytes(b"no picture")
    answer = vitlab("predict", finished, pictures, *(["--json"] if json_too else []))
    assert answer.code == 2
    assert answer.err.count("is unreadable") == 1
    assert "1.png is unreadable" in answer.err
    if json_too:
        found = json.loads(answer.out)
        assert [len(row["classes"]) for row in found["predictions"]] == [5, 5]
        assert len(found["unreadable"]) == 1
    else:
        assert answer.out.count(".png") == 2


@pytest.mark.parametrize(
    ("run", "image", "said"),
    [
        ("{run}", "nowhere.png", "nowhere.png does not exist"),
        ("{run}", "{empty}", "no picture in"),
        ("{run}", "{text}", "is unreadable"),
        ("{empty}", "{empty}", "empty holds no checkpoint; is it a run directory?"),
    ],
)
def test_mistakes(vitlab, finished, tmp_path, run, image, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    places = {"run": finished, "empty": tmp_path / "empty", "text": tmp_path / "text.png"}
    answer = vitlab("predict", run.format(**places), image.format(**places))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
