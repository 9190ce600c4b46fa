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
    words = ("--tokens", "16", "--only", "linear", "--rounds", "1", "--device", "cpu", "--model", "r0_vit")
    figures = json.loads(vitlab("bench", "attention", *words, "--json").out)
    assert [row["label"] for row in figures["mechanisms"]] == ["linear"]


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


@pytest.fixture
def raced(monkeypatch):
    """A bench whose contest is made up; it says what it does, and is told how long it may take."""
    told = {}

    def versus(job, names, rounds, overrides, seconds, say):
        told.update(seconds=seconds, batch=job.batch_size)
        say("round 1 of 5: vitlab")
        common = {"fraction_of_peak": 0.36, "peak_memory_bytes": None, "seconds_per_round": [1.0]}
        mine = {"setting": "fp32, explicit attention", "images_per_second": 100.0, "differs": "", **common}
        theirs = mine | {"setting": "float32, TIMM_FUSED_ATTN=0", "ratio": 1.1, "differs": "no bias"}
        return {
            "job": {"mode": job.mode, "batch_size": job.batch_size, "rounds": 2, "model": {}},
            "vitlab": mine,
            "peers": {"timm": {"all": [theirs]}},
            "missing": {"bf16": "this CPU has no units for it"},
            "peak_flops_per_second": {"float32": 2e10},
            "env": {},
        }

    monkeypatch.setattr("vitlab.bench.versus.versus", versus)
    return told


def test_a_bench_says_what_it_does_and_what_is_missing(vitlab, raced):
    answer = vitlab("bench", "train", "--device", "cpu")
    assert answer.code == 0, answer.err
    assert "round 1 of 5: vitlab …" in answer.out
    assert "bf16: this CPU has no units for it" in answer.out
    assert "timm differs: no bias" in answer.out
    assert 0.9 * 180 < raced["seconds"] <= 180
    assert raced["batch"] == 32


def test_a_bench_as_json_is_one_object(vitlab, raced):
    answer = vitlab("bench", "infer", "--device", "cpu", "--batch", "8", "--minutes", "1", "--json")
    assert answer.out.count("\n") == 1
    assert json.loads(answer.out)["job"]["batch_size"] == raced["batch"] == 8
    assert raced["seconds"] <= 60
