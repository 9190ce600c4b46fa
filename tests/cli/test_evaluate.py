import json
import re

import pytest

from tests.reading import read_json


def test_the_recorded_score_comes_out_again(vitlab, finished):
    answer = vitlab("evaluate", finished, "--json")
    found, recorded = json.loads(answer.out), read_json(finished / "result.json")["metrics"]
    assert (answer.code, answer.err) == (0, "")
    assert found["test_top1"] == recorded["test_top1"]
    assert found["test_loss"] == pytest.approx(recorded["test_loss"], rel=1e-6)
    assert found["images"] == 360


def test_what_a_person_sees(vitlab, finished):
    first, *lowest = vitlab("evaluate", finished).out.splitlines()
    share = r"\d+\.\d\d %"
    assert re.fullmatch(
        rf"360 images: top-1 {share}, top-5 {share}, balanced accuracy {share}, loss \d\.\d{{4}}", first
    )
    assert lowest[0] == "lowest recall by class:"
    assert all(re.fullmatch(rf"  \d +{share} of 3\d images(, most often taken for \d)?", line) for line in lowest[1:])
    assert len(lowest[1:]) == 3


def test_every_class_is_in_the_json(vitlab, finished):
    found = json.loads(vitlab("evaluate", finished, "--json").out)
    recalls = {name: each["right"] / each["images"] for name, each in found["by_class"].items()}
    assert list(recalls) == list("0123456789")
    assert recalls == {name: each["recall"] for name, each in found["by_class"].items()}
    assert sum(recalls.values()) / 10 == pytest.approx(found["test_balanced_accuracy"], rel=1e-12)
    assert found["majority"] is None


def test_on_a_named_set(vitlab, finished):
    found, *score = vitlab("evaluate", finished, "--data", "digits").out.splitlines()
    assert found == "data: train 1,437, test 360 images of 10 classes"
    assert score == vitlab("evaluate", finished).out.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist; is it a run directory?"),
        (("{run}", "--data", "digit"), "did you mean digits?"),
        (("{run}", "--img-size", "16x"), "--img-size 16x: expected a number of pixels, or two as in 256x192"),
        (("{run}", "--img-size", "-8"), "expected a number of pixels"),
        (("{run}", "--img-size", "8x8x8"), "expected a number of pixels"),
        (("{run}", "--interpolation", "bilinear"), "how to resize (interpolation), but not to what"),
        (("{run}", "--img-size", "16", "--positions", "wide"), "positions='wide': legal: stretched, run_on"),
    ],
)
def test_mistakes(vitlab, finished, words, said):
    answer = vitlab("evaluate", *(word.format(run=finished) for word in words))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_at_another_size_the_model_is_resized_and_it_is_said(vitlab, finished):
    answer = vitlab("evaluate", finished, "--img-size", "16")
    assert answer.code == 0
    assert "positions stretched to the" in answer.out or "positions resized from" in answer.out
    assert "360 images: top-1" in answer.out


def test_how_it_is_resized_can_be_said(vitlab, finished):
    scores = {
        json.loads(vitlab("evaluate", finished, "--img-size", "16", *how, "--json").out)["test_loss"]
        for how in ((), ("--interpolation", "bilinear"), ("--no-antialias",), ("--positions", "run_on"))
    }
    assert len(scores) >= 2  # of one kind of positions one of them is without effect
