"""The check for a machine that is lent for minutes, tried on a CPU: what it finds out is kept, and gone on from."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def check(*words):
    command = [sys.executable, ROOT / "scripts" / "gpu_check", "--tiny", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def results(folder):
    return json.loads((folder / "results.json").read_text())


@pytest.mark.slow
def test_what_is_known_is_not_found_out_again(tmp_path):
    said = check("--out", tmp_path, "--only", "learning")
    assert "2 of 2 things to find out" in said
    found = results(tmp_path)
    assert list(found) == ["learning, one seed", "learning, three stacked"]
    one, three = found.values()
    assert [len(losses) for losses in one["losses"]] == [3]
    assert [len(losses) for losses in three["losses"]] == [3, 3, 3]
    assert three["losses"][0] == pytest.approx(one["losses"][0], rel=1e-4)
    assert "loss 2." in (tmp_path / "summary.md").read_text()
    again = check("--out", tmp_path / "more", "--after", tmp_path, "--only", "learning")
    assert again.count(": known") == 2


@pytest.mark.slow
def test_a_training_comes_back_in_pieces_and_goes_on(tmp_path):
    check("--out", tmp_path / "first", "--only", "r0", "--minutes", 0.5)
    check("--out", tmp_path / "second", "--after", tmp_path / "first", "--only", "r0", "--minutes", 0.5)
    first, second = (results(tmp_path / name)["r0"] for name in ("first", "second"))
    assert second["steps"] > first["steps"] > 0
    assert second["train_loss"][: len(first["train_loss"])] == first["train_loss"]
    assert 0 < second["evaluated"]["test_top1"] <= 1
    assert list((tmp_path / "second").glob("r0.tar.*"))


def test_it_tells_what_travels_or_what_is_missing(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "gpu_check", "--pack"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "VITLAB_DATA": str(tmp_path)},
    )
    assert done.returncode == 1
    assert f"no CIFAR-10 in {tmp_path / 'cifar10'}; set VITLAB_DATA" in done.stderr


def test_what_failed_without_a_word_is_told_too():
    script = runpy.run_path(str(ROOT / "scripts" / "gpu_check"))
    assert script["told"](script["without_result"](" \n", 3.2)) == "failed: no output in 3 s"
    assert script["told"](script["without_result"]("Traceback\nValueError: odd\n", 3.2)) == "failed: ValueError: odd"
