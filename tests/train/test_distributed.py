"""Several processes under torchrun: the weights of one, one writer, and a job that outlives a worker."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from safetensors.torch import load_file

pytestmark = pytest.mark.slow

WORDS = (
    *("train", "digits", "--device", "cpu", "--kernel", "explicit", "--threads", "1", "--save-steps", "10"),
    *("--set", "model.embed_dim=16", "--set", "model.depth=2", "--set", "model.num_heads=2"),
    *("--set", "model.drop_path=0.2", "--set", "model.mlp_dropout=0.1", "--set", "optim.ema=0.9"),
    *("--set", 'augment=["flip", {"name": "erase", "value": "noise"}, {"name": "mix", "prob": 0.8}]'),
    *("--set", "repeats=2", "--set", "epochs=null", "--set", "steps=50", "--set", "evaluate_every=0.1"),
)
BATCH = ("--set", "batch_size=31")  # 15 and 16, or 10, 10 and 11
EXACT = ("--precision", "fp64")
ALONE = (sys.executable, "-m", "vitlab")


def together(count: int) -> tuple[str, ...]:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count))
    return (sys.executable, *launcher, "-m", "vitlab")


def run(launch: tuple[str, ...], *words: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*launch, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoint" / "step-00000050" / "model.safetensors")


def lines(folder: Path) -> list[dict]:
    return [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]


def farthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process that accumulates two micro-batches."""
    folder = tmp_path_factory.mktemp("single") / "run"
    run(ALONE, *WORDS, *BATCH, *EXACT, "--micro-batch", "16", "--out", folder)
    return folder


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_give_the_weights_of_one_with_accumulation(single: Path, tmp_path: Path, count: int):
    done = run(together(count), *WORDS, *BATCH, *EXACT, "--out", tmp_path / "run")
    assert farthest(weights(tmp_path / "run"), weights(single)) < 1e-10
    assert f"{count} processes" in done.stdout
    assert done.stdout.count("test top-1") == 1  # the others are silent
    for mine, theirs in zip(lines(tmp_path / "run"), lines(single), strict=True):
        for name in ("train_loss", "train_top1", "val_loss", "val_top1", "val_top5"):
            assert mine[name] == pytest.approx(theirs[name], abs=1e-10), name
    results = [json.loads((folder / "result.json").read_text())["metrics"] for folder in (tmp_path / "run", single)]
    assert results[0]["test_loss"] == pytest.approx(results[1]["test_loss"], abs=1e-10)
    assert results[0]["test_top1"] == results[1]["test_top1"]
    assert results[0]["images_seen"] == results[1]["images_seen"]
    said = [np.load(folder / "predictions.npz")["probabilities"] for folder in (tmp_path / "run", single)]
    np.testing.assert_allclose(*said, rtol=0, atol=1e-6)  # they are float32


def test_a_killed_worker_ends_the_job_and_one_process_goes_on(single: Path, tmp_path: Path):
    """Killed in the middle; then resumed by one process, to the weights of the run that nobody disturbed."""
    folder = tmp_path / "run"
    command = [*together(2), *map(str, (*WORDS, *BATCH, *EXACT, "--out", folder))]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(folder / "checkpoint" / "step-00000010")
    workers = [child for child in psutil.Process(job.pid).children() if child.environ().get("RANK") == "1"]
    os.kill(workers[0].pid, signal.SIGKILL)
    _, said = job.communicate(timeout=120)
    assert job.returncode != 0
    assert "another process of this job ended" in said
    assert "--resume" in said
    assert not (folder / "checkpoint" / "step-00000050").exists()
    run(ALONE, *WORDS, *BATCH, *EXACT, "--out", folder, "--resume")
    assert farthest(weights(folder), weights(single)) < 1e-10
    assert len(lines(folder)) == len(lines(single))
    assert json.loads((folder / "env.json").read_text())["choices"]["processes"] == 1


def test_what_one_process_began_two_may_end(single: Path, tmp_path: Path):
    folder = tmp_path / "run"
    words = (*WORDS, *BATCH, *EXACT, "--out", folder)
    job = subprocess.Popen([*ALONE, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(folder / "checkpoint" / "step-00000010")
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    assert job.returncode == 143
    run(together(2), *words, "--resume")
    assert farthest(weights(folder), weights(single)) < 1e-10


def test_a_mistake_is_said_once_and_a_signal_stops_all(tmp_path: Path):
    command = [*together(2), *WORDS, "--out", str(tmp_path / "run"), "--set", "batch_size=16"]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(tmp_path / "run" / "checkpoint" / "step-00000010")
    worker = next(child for child in psutil.Process(job.pid).children() if child.environ().get("RANK") == "1")
    worker.send_signal(signal.SIGTERM)  # one of them is asked, all stop
    out, _ = job.communicate(timeout=120)
    assert "saved; continue with: torchrun --nproc-per-node 2 -m vitlab train digits" in out
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "interrupted"
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert again.returncode != 0
    assert again.stderr.count("there is a run already") == 1
    few = subprocess.run([*command[:-1], "batch_size=1", "--resume"], capture_output=True, text=True, timeout=120)
    assert "the run there has other settings" in few.stderr


def test_a_loss_that_is_no_number_is_said_once(tmp_path: Path):
    command = [*together(2), *WORDS, "--out", str(tmp_path / "run"), "--set", "optim.lr=1e30"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert done.stderr.count("stopped being a finite number") == 1
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "failed"


def wait_for(path: Path, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path} did not appear"
        time.sleep(0.01)
