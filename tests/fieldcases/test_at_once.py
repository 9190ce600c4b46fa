"""Several commands at the same moment, with the same folder or the same question; and a terminal that is closed."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fieldcases.conftest import TINY
from tests.reading import read_json
from vitlab.base.kept import keep_answer
from vitlab.checkpoints import native
from vitlab.records.history import read_history

pytestmark = pytest.mark.slow

RUN = (
    *("train", "digits", "--steps", "60", "--save-steps", "10", "--device", "cpu", "--precision", "fp32"),
    *("--kernel", "explicit", "--threads", "1", "--set", "model.embed_dim=16", "--set", "model.depth=1"),
    *("--set", "model.num_heads=2", "--batch-size", "16", "--set", "evaluate_every=0.05"),
)


def begin(*words: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "vitlab", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ends(processes: "list[subprocess.Popen[str]]") -> list[tuple[int, str]]:
    """Exit codes and what was said on standard error."""
    said = [process.communicate(timeout=120)[1] for process in processes]
    return [(process.returncode, words) for process, words in zip(processes, said, strict=True)]


def measured(run: Path) -> bool:
    """Whether a training is under way."""
    lines = run / "metrics.jsonl"
    return lines.exists() and lines.stat().st_size > 0


def check_whole(run: Path) -> None:
    """One training, from its first step to its last, and nothing of another."""
    assert read_json(run / "result.json")["status"] == "finished"
    steps = [line["step"] for line in read_history(run)]
    assert steps == sorted(set(steps))
    assert steps[-1] == 60
    for checkpoint in native.complete(run / "checkpoint"):
        native.load(checkpoint)
    assert not list(run.rglob("*.tmp"))


def test_of_two_trainings_with_one_folder_one_is_refused_and_one_is_whole(tmp_path):
    found = ends([begin(*RUN, "--out", tmp_path / "run") for _ in range(2)])
    assert sorted(code for code, _ in found) == [0, 2]
    (said,) = [said for code, said in found if code == 2]
    assert f"--out {tmp_path}/run: " in said
    assert "another process trains this run (process " in said or "there is a run already" in said
    check_whole(tmp_path / "run")


def test_of_three_that_go_on_with_one_run_one_does(tmp_path):
    first = begin(*RUN, "--out", tmp_path / "run")
    while not native.complete(tmp_path / "run" / "checkpoint"):
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)  # a dead owner's lock is none
    assert ends([first])[0][0] == -signal.SIGKILL
    found = ends([begin(*RUN, "--out", tmp_path / "run", "--resume") for _ in range(3)])
    codes = [code for code, _ in found]
    assert set(codes) <= {0, 2}  # whoever comes when it is finished has nothing to do
    assert 0 in codes
    check_whole(tmp_path / "run")


def test_three_that_have_measured_at_once_go_by_the_first(tmp_path, cache_folder):
    """Each is sure of another answer; the question is asked of all at the same time."""
    script = (
        "import sys, time\n"
        "from vitlab.base.kept import keep_answer, read_answer\n"
        "assert read_answer('choices', ['which']) is None\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(dict(keep_answer('choices', ['which'], {'name': sys.argv[1]}))['name'])\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in "abc"
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate()[0].strip() for process in processes]
    assert len(set(answers)) == 1
    assert keep_answer("choices", ["which"], {"name": "d"}) == {"name": answers[0]}


def test_a_closed_terminal_has_the_run_saved(tmp_path):
    environment = os.environ | {"TERM": "xterm"}
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
        words = ["--steps", "100000", "--out", str(tmp_path / "run")]
        os.execve(sys.executable, [sys.executable, "-m", "vitlab", *RUN, *words], environment)
    while not measured(tmp_path / "run"):
        os.read(terminal, 4096)  # as a terminal does
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    result = read_json(tmp_path / "run" / "result.json")
    assert (result["status"], result["reason"]) == ("interrupted", "signal 1")
    saved = native.latest(tmp_path / "run" / "checkpoint")
    assert native.step_of(saved) == result["metrics"]["steps"]


def test_under_nohup_a_closed_terminal_is_none_of_its_business(tmp_path):
    command = [sys.executable, "-m", "vitlab", *RUN, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(["nohup", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not measured(tmp_path / "run"):
        time.sleep(0.02)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    check_whole(tmp_path / "run")


def test_a_study_does_not_count_another_run_in_a_place_of_its_own(vitlab, tmp_path):
    """Two seeds' folders have changed places: an easy slip of whoever copies by hand."""
    settings = {key: value for key, value in TINY.items() if not key.startswith("data")} | {"model.patch_size": 2}
    design = {"name": "one_at_a_time", "factors": {"model.mlp": ["gelu", "swiglu"]}}
    base = {"recipe": "digits_small", **settings, "val_fraction": 0.1}
    (tmp_path / "study.json").write_text(
        json.dumps({"question": "Which?", "base": base, "design": design, "verdicts": False})
    )
    words = ("study", tmp_path / "study.json", "--seeds", 2, "--device", "cpu", "--precision", "fp32", "--jobs", 1)
    assert vitlab(*words, "--no-stack", "--out", tmp_path / "S").code == 0
    runs = tmp_path / "S" / "runs" / "baseline"
    for old, new in (("seed-0", "kept"), ("seed-1", "seed-0"), ("kept", "seed-1")):
        (runs / old).rename(runs / new)
    answer = vitlab("report", tmp_path / "S")
    assert answer.code == 0
    found = json.loads(vitlab(*words, "--no-stack", "--out", tmp_path / "S", "--json").out)["study"]
    assert found["missing"] == [
        "baseline, seed 0: failed: another run stands in its folder, move it away: seed 0 → 1",
        "baseline, seed 1: failed: another run stands in its folder, move it away: seed 1 → 0",
    ]
