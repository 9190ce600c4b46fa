"""`kill -9` at any moment, then --resume: bit for bit the run that nobody disturbed. Real processes."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORDS = (
    *(
        "train",
        "digits",
        "--device",
        "cpu",
        "--precision",
        "fp32",
        "--kernel",
        "explicit",
        "--threads",
        "1",
        "--save-steps",
        "3",
        "--resume",
    ),
    *("--set", "model.embed_dim=16", "--set", "model.depth=2", "--set", "model.num_heads=2"),
    *("--set", "model.drop_path=0.2", "--set", 'augment=["flip", "mix"]', "--set", "optim.ema=0.9"),
    *("--set", "epochs=null", "--set", "steps=90", "--set", "batch_size=16", "--set", "evaluate_every=0.1"),
    *("--set", "weights=best"),
)
COMMAND = "import sys; sys.argv[0] = 'vitlab'; from vitlab.cli.app import run; run()"

# Kills its own process before, or after, the n-th call of a function: `die.py records append_line after 2 -- train …`
DRIVER = """
import importlib, os, signal, sys
cut = sys.argv.index("--")
module, name, when, count = sys.argv[1:cut]
sys.argv = ["vitlab", *sys.argv[cut + 1:]]
owner = importlib.import_module(module)
*path, name = name.split(".")
for part in path:
    owner = getattr(owner, part)
real, calls = getattr(owner, name), []

def dying(*arguments, **named):
    calls.append(1)
    last = len(calls) == int(count)
    if last and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments, **named)
    if last:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(owner, name, dying)
from vitlab.cli.app import run
run()
"""
MOMENTS = (  # in this order, each a process that resumes what the one before left
    ("vitlab.records._base", "write_json", "after", 2),  # env.json is there, spec.json is not: no run yet
    ("vitlab.checkpoints.native", "_write", "before", 4),  # the second checkpoint has one of its files
    ("vitlab.records.checkpoint", "CheckpointMeta.write", "before", 3),  # … all but meta.json
    ("vitlab.checkpoints.native", "_replace", "before", 2),  # … everything but its name
    ("vitlab.checkpoints.native", "_replace", "after", 3),  # it is there; the older ones are not pruned
    ("vitlab.checkpoints.native", "remove", "after", 1),  # one of those is
    ("vitlab.records.history", "append_line", "after", 3),  # a line whose checkpoint is not there
    ("vitlab.records.predictions", "Predictions.write", "before", 1),  # all steps are taken and the test split is read
    ("vitlab.train.run_dir.run_dir", "RunDir.finish", "before", 1),  # all but the result
)


def start(program: str, *words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def bytes_of(folder: Path) -> dict[str, object]:
    """Everything that must be equal: the weights and slots as bytes, the lines without their seconds, the scores."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("step-00000087", "step-00000090", "best-*")
        for path in sorted((folder / "checkpoint").glob(f"{name}/*.safetensors"))
    }
    assert len(files) >= 6
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "result.json").read_text())["metrics"]
    scores = {name: value for name, value in metrics.items() if name.startswith(("val", "test", "train_l", "best"))}
    for line in lines:
        del line["seconds"]
    return {**files, "lines": lines, "scores": scores, "spec": (folder / "spec.json").read_text()}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What an undisturbed run leaves."""
    folder = tmp_path_factory.mktemp("straight") / "run"
    code, _, err = finish(start(COMMAND, *WORDS, "--out", folder))
    assert code == 0, err
    return bytes_of(folder)


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path, straight):
    """Three times, somewhere in the second that the steps take; then left in peace."""
    chosen = random.Random(5)
    killed = 0
    for _ in range(3):
        process = start(COMMAND, *WORDS, "--out", tmp_path)
        _wait_for_more(tmp_path / "checkpoint", process)
        time.sleep(chosen.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        killed += finish(process)[0] == -signal.SIGKILL
    assert killed >= 2  # the machine may be quick
    code, _, err = finish(start(COMMAND, *WORDS, "--out", tmp_path))
    assert code == 0, err
    assert bytes_of(tmp_path) == straight


@pytest.mark.slow
def test_killed_while_a_checkpoint_is_written(tmp_path, straight):
    """The hidden folder is seen from outside, and the process dies then, whatever is in it."""
    seen = 0
    for _ in range(3):
        process = start(COMMAND, *WORDS, "--out", tmp_path)
        while process.poll() is None:
            if list(tmp_path.glob("checkpoint/.step-*.tmp")):
                process.send_signal(signal.SIGKILL)
                break
        seen += finish(process)[0] == -signal.SIGKILL
    assert seen >= 2
    code, _, err = finish(start(COMMAND, *WORDS, "--out", tmp_path))
    assert code == 0, err
    assert bytes_of(tmp_path) == straight


@pytest.mark.slow
def test_killed_at_every_delicate_moment(tmp_path, straight):
    for moment in MOMENTS:
        code, _, err = finish(start(DRIVER, *map(str, moment), "--", *WORDS, "--out", tmp_path))
        assert code == -signal.SIGKILL, (moment, err)
    code, _, err = finish(start(COMMAND, *WORDS, "--out", tmp_path))
    assert code == 0, err
    assert bytes_of(tmp_path) == straight
    assert list((tmp_path / "checkpoint").glob(".*")) == []


@pytest.mark.slow
def test_stopped_by_signals(tmp_path, straight):
    """SIGTERM, then Ctrl-C in the process that went on, then left in peace."""
    for signum, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        process = start(COMMAND, *WORDS, "--out", tmp_path)
        _wait_for_more(tmp_path / "checkpoint", process)
        process.send_signal(signum)
        code, out, err = finish(process)
        assert (code, err) == (expected, "")
        assert "Traceback" not in out
        assert "--resume" in out
    code, _, err = finish(start(COMMAND, *WORDS, "--out", tmp_path))
    assert code == 0, err
    assert bytes_of(tmp_path) == straight


def _wait_for_more(folder: Path, process: subprocess.Popen[str]) -> None:
    """Until the process has written a checkpoint of its own."""

    def names() -> set[str]:
        return set(os.listdir(folder)) if folder.exists() else set()

    before = names()
    while process.poll() is None and not {name for name in names() - before if not name.startswith(".")}:
        time.sleep(0.002)
