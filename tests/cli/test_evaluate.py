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
    assert re.fullmatch(
        r"360 images: top-1 \d+\.\d\d %, top-5 \d+\.\d\d %, loss \d\.\d{4}\n", vitlab("evaluate", finished).out
    )


def test_on_a_named_set(vitlab, finished):
    assert vitlab("evaluate", finished, "--data", "digits").out == vitlab("evaluate", finished).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist; is it a run directory?"),
        (("{run}", "--data", "digit"), "did you mean digits?"),
    ],
)
def test_mistakes(vitlab, finished, words, said):
    answer = vitlab("evaluate", *(word.format(run=finished) for word in words))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
