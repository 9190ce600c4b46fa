"""`vitlab knockout`: the parts of a trained model, ranked."""

import json

import pytest


def test_the_parts_of_a_run_as_json(vitlab, finished):
    found = json.loads(vitlab("knockout", finished, "--images", "64", "--json").out)
    assert (found["images"], found["runs"], found["replacement"]) == (64, 1, "zero")
    assert {part["kind"] for part in found["knockouts"]} >= {"head", "attention", "mlp", "patches"}
    first = found["knockouts"][0]
    assert first["low"] <= first["delta_top1"] <= first["high"]
    assert 0 <= first["p_adjusted"] <= 1
    assert found["blocks"] <= 1.05 * found["needed"]
    assert len(found["curve"]["order"]) == 4
    assert len(found["curve"]["top1"]) == 5


def test_the_same_for_people(vitlab, finished):
    answer = vitlab("knockout", finished, "--images", "64", "--replace", "mean")
    assert answer.code == 0
    for said in ("knocked out, replaced by mean", "what costs most", "top-1 without a head, points", "can go"):
        assert said in answer.out


def test_all_seeds_of_a_run_are_one_answer(vitlab, finished, tmp_path):
    for seed in (0, 1):
        (tmp_path / f"seed-{seed}").symlink_to(finished)
    found = json.loads(vitlab("knockout", tmp_path, "--images", "64", "--json").out)
    assert (found["runs"], found["curve"]) == (2, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("{run}", "--replace", "noise"), "--replace noise; legal: zero, mean, resample"),
        (("{run}", "--data", "digit"), "did you mean digits?"),
    ],
)
def test_mistakes(vitlab, finished, words, said):
    answer = vitlab("knockout", *(word.format(run=finished) for word in words))
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
