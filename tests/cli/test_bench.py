import json

import pytest

ATTENTION = ("bench", "attention", "--tokens", "16,64", "--only", "softmax,linear", "--rounds", "1", "--device", "cpu")


@pytest.mark.slow
def test_attention_prints_its_tables_and_draws_its_picture(vitlab, tmp_path):
    answer = vitlab(*ATTENTION, "--model", "r0_vit", "--out", tmp_path / "new")
    assert answer.code == 0, answer.err
    for words in (
        "softmax, fused",
        "softmax, explicit",
        "linear",
        "peak memory",
        "speed-up over its own plain definition",
    ):
        assert words in answer.out
    assert json.loads((tmp_path / "new" / "attention.json").read_text())["tokens"] == [16, 64]
    assert (tmp_path / "new" / "attention.png").exists()


@pytest.mark.slow
def test_attention_as_json_is_one_object(vitlab):
    answer = vitlab(*ATTENTION, "--model", "r0_vit", "--json")
    figures = json.loads(answer.out)
    assert [row["label"] for row in figures["mechanisms"]] == ["linear", "softmax, fused", "softmax, explicit"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tokens", "64,many"), "--tokens many: expected whole numbers"),
        (("--tokens", "13"), "--tokens 13: must form a grid"),
        (("--only", "softmx"), "unknown attention or mixer 'softmx'; did you mean softmax"),
        (("--model", "r0_vitt"), "unknown model 'r0_vitt'"),
        (("--precision", "fp12"), "legal: fp32"),
    ],
)
def test_a_mistake_is_told_in_a_line(vitlab, words, said):
    answer = vitlab("bench", "attention", *words)
    assert answer.code == 2
    assert said in answer.err
