"""Stopping and going on: free and taken folders, resumes, signals."""

import json
import os
import signal

import pytest
import torch

from tests.reading import read_json
from tests.train.conftest import crash
from vitlab.base.errors import CheckpointError, Interrupted, UserError
from vitlab.base.files import read_lines
from vitlab.checkpoints import native
from vitlab.records.checkpoint import CheckpointMeta
from vitlab.train.interrupt import Request, listening
from vitlab.train.run_dir.run_dir import RunDir


@pytest.mark.parametrize(
    ("step", "precision"),
    [
        (5, "fp32"),
        pytest.param(5, "bf16", marks=pytest.mark.slow),
        *(pytest.param(step, "fp32", marks=pytest.mark.slow) for step in (1, 3, 8, 11)),
    ],
)
def test_stopped_and_resumed_is_straight_through(
    tiny_run, run_tiny, tmp_path, at_step, records_of, everything_random, step, precision
):
    """Before the first checkpoint, right after one, between an evaluation and a checkpoint, …: bit for bit."""
    spec = tiny_run(everything_random | {"optim.ema": 0.9, "optim.clip_norm": 1.0}, weights="best")
    run_tiny(spec, tmp_path / "straight", precision=precision)
    at_step(step, crash)
    with pytest.raises(ConnectionError):
        run_tiny(spec, tmp_path / "broken", precision=precision)
    run_tiny(spec, tmp_path / "broken", resume=True, precision=precision)
    straight, broken = records_of(tmp_path / "straight"), records_of(tmp_path / "broken")
    assert straight["lines"] == broken["lines"]
    assert straight["result"] == broken["result"]
    assert straight == broken


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["add_line", "finish"])
def test_stopped_between_steps_too(tiny_run, run_tiny, tmp_path, records_of, monkeypatch, moment):
    """After a line is written and before its checkpoint; after the predictions and before the result."""
    run_tiny(tiny_run(), tmp_path / "straight")
    real = getattr(RunDir, moment)

    def crashing(self, *arguments, **named):
        if moment == "add_line":
            real(self, *arguments, **named)
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(RunDir, moment, crashing)
        with pytest.raises(ConnectionError):
            run_tiny(tiny_run(), tmp_path / "broken")
    run_tiny(tiny_run(), tmp_path / "broken", resume=True)
    assert records_of(tmp_path / "straight") == records_of(tmp_path / "broken")


@pytest.mark.parametrize("left", [("env.json",), ("env.json", "preprocessing.json"), (".spec.json.17.tmp",), ()])
def test_a_run_that_was_killed_while_it_began_can_begin_again(tiny_run, run_tiny, tmp_path, left):
    for name in left:
        (tmp_path / name).write_text("{}")
    assert run_tiny(tiny_run(steps=1), tmp_path, resume=True)["status"] == "finished"


def test_an_occupied_folder_is_refused(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run(steps=1), tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(UserError, match="--resume"):
        run_tiny(tiny_run(steps=1), tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/holiday.jpg").write_text("precious")
    for resume in (False, True):
        with pytest.raises(UserError, match="not empty and is not a run"):
            run_tiny(tiny_run(steps=1), tmp_path / "other", resume=resume)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_finished_run_is_left_as_it_is(tiny_run, run_tiny, tmp_path):
    first = run_tiny(tiny_run(steps=2), tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run_tiny(tiny_run(steps=2), tmp_path, resume=True) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_resume_with_other_settings_is_refused(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run(steps=1), tmp_path)
    with pytest.raises(UserError, match=r"(?s)other settings:\n  steps 1 → 2\n.*--init .* and another --out"):
        run_tiny(tiny_run(steps=2), tmp_path, resume=True)


def test_a_resume_where_nothing_is_starts(tiny_run, run_tiny, tmp_path):
    assert run_tiny(tiny_run(steps=1), tmp_path / "new", resume=True)["status"] == "finished"


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named_and_the_previous_one_is_gone_on_from(
    tiny_run, run_tiny, tmp_path, at_step, records_of
):
    run_tiny(tiny_run(), tmp_path / "straight")
    at_step(8, crash)
    with pytest.raises(ConnectionError):
        run_tiny(tiny_run(), tmp_path / "run")
    damaged = tmp_path / "run/checkpoint/step-00000006"
    data = bytearray((damaged / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (damaged / "model.safetensors").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"step-00000006 is damaged.*; delete.*step-00000003"):
        run_tiny(tiny_run(), tmp_path / "run", resume=True)
    native.remove(damaged)
    run_tiny(tiny_run(), tmp_path / "run", resume=True)
    assert records_of(tmp_path / "straight") == records_of(tmp_path / "run")


def test_nothing_later_than_the_resumed_step_stays(tiny_run, tmp_path):
    run_dir = RunDir(tmp_path, tiny_run())
    for kind in ("step", "best"):
        for step in (3, 6, 9):
            meta = CheckpointMeta(step, model={}, task={}, preprocessing={})
            native.save(run_dir.checkpoints, kind, native.Tensors({"w": torch.zeros(1)}), meta)
    lines = tmp_path / "metrics.jsonl"
    lines.write_text("".join(json.dumps({"step": step}) + "\n" for step in (3, 6, 9)) + '{"step": 1')
    run_dir.forget_after(6)
    for kind in ("step", "best"):
        assert [native.step_of(path) for path in native.complete(run_dir.checkpoints, kind)] == [3, 6]
    assert read_lines(lines) == [{"step": 3}, {"step": 6}]


# ------------------------------------------------------------------------------------------------------------- signals


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_stops_and_the_run_can_go_on(
    tiny_run, run_tiny, tmp_path, at_step, records_of, signum, code
):
    run_tiny(tiny_run(), tmp_path / "straight")
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    at_step(6, lambda loop: os.kill(os.getpid(), signum))
    with pytest.raises(Interrupted) as caught:
        run_tiny(tiny_run(), tmp_path / "run", save=None)
    assert caught.value.code == code
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers
    result = read_json(tmp_path / "run/result.json")
    assert (result["status"], result["metrics"]["steps"]) == ("interrupted", 7)
    assert [native.step_of(path) for path in native.complete(tmp_path / "run/checkpoint")] == [7]
    run_tiny(tiny_run(), tmp_path / "run", resume=True)
    assert records_of(tmp_path / "straight") == records_of(tmp_path / "run")


def test_a_second_ctrl_c_does_not_wait():
    request = Request()
    request.note(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        request.note(signal.SIGINT, None)


def test_sigterm_after_ctrl_c_waits_for_the_step():
    request = Request()
    request.note(signal.SIGINT, None)
    request.note(signal.SIGTERM, None)
    assert request.signum == signal.SIGTERM


def test_where_there_is_nothing_to_save_a_signal_is_obeyed_at_once():
    request = Request()
    with pytest.raises(Interrupted), request.obeyed_at_once():
        request.note(signal.SIGTERM, None)
    with pytest.raises(Interrupted), request.obeyed_at_once():
        pytest.fail("the signal has come before")
    request.note(signal.SIGTERM, None)  # afterwards it is a question again


def test_the_old_handlers_come_back_after_an_error():
    before = signal.getsignal(signal.SIGTERM)

    def failing():
        with listening():
            assert signal.getsignal(signal.SIGTERM) != before
            raise ConnectionError

    with pytest.raises(ConnectionError):
        failing()
    assert signal.getsignal(signal.SIGTERM) == before
