"""Whole runs: what they leave behind, what they read, and what goes wrong."""

import dataclasses
import errno
import json
import os
import signal

import numpy as np
import pytest
import torch

from tests.reading import read_json
from tests.train.conftest import crash
from vitlab.base.errors import CheckpointError, Interrupted, SpecError, UserError
from vitlab.base.files import read_lines
from vitlab.base.spec import from_dict
from vitlab.checkpoints import native
from vitlab.evaluate import scores
from vitlab.evaluate._checkpoint import evaluate_checkpoint
from vitlab.processes import ALONE, Processes
from vitlab.records.pictures import read_pictures
from vitlab.train.launch import _check_device, train
from vitlab.train.machine.choices import Overrides
from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
from vitlab.train.spec import RunSpec
from vitlab.train.step.loop import Loop
from vitlab.train.trainer import Diverged

DOUBLE = Overrides(device="cpu", precision="fp64", kernel="explicit", threads=1)


def train_stacked(spec, folder, seeds=(0, 1, 2), checkpoints=CheckpointPolicy(3), overrides=DOUBLE, **more):
    specs = [dataclasses.replace(spec, seed=seed) for seed in seeds]
    return train(specs, [folder / str(seed) for seed in seeds], overrides=overrides, checkpoints=checkpoints, **more)


@pytest.fixture
def watched_scores(monkeypatch):
    """`watched_scores(look)`: every evaluation of a split is shown to `look(subject, split, evaluation)`, which may
    change it.
    """
    real = scores.Spec.evaluate

    def watch(look):
        def watching(self, subject):
            evaluation = real(self, subject)
            return look(subject, self.split, evaluation) or evaluation

        monkeypatch.setattr(scores.Spec, "evaluate", watching)

    return watch


def steps_kept(folder, kind="step"):
    return [native.step_of(path) for path in native.complete(folder / "checkpoint", kind)]


# ------------------------------------------------------------------------------------------------ what a run leaves


def test_a_finished_run(tiny_run, run_tiny, tmp_path):
    result = run_tiny(tiny_run(), tmp_path, recipe="digits")
    assert result == read_json(tmp_path / "result.json")
    assert (result["status"], result["reason"]) == ("finished", None)
    metrics = result["metrics"]
    assert {f"{split}_{name}" for split in ("val", "test", "train") for name in ("top1", "top5", "loss")} <= set(
        metrics
    )
    assert (metrics["steps"], metrics["images_seen"]) == (12, 192)
    assert 0 <= metrics["test_top1"] <= metrics["test_top5"] <= 1
    assert metrics["seconds_per_epoch"] > 0 < metrics["peak_memory_bytes"]
    assert read_json(tmp_path / "env.json")["choices"]["precision"] == "fp32"
    assert read_json(tmp_path / "preprocessing.json")["class_names"] == list("0123456789")
    assert steps_kept(tmp_path) == [9, 12]
    assert (tmp_path / "predictions.npz").exists()


@pytest.mark.parametrize("weights", ["last", "best"])
def test_what_every_picture_scored_that_is_held_out(tiny_run, run_tiny, tmp_path, weights):
    """By the weights that are kept: its means are the run's scores."""
    metrics = run_tiny(tiny_run(weights=weights, evaluate_every=0.05), tmp_path)["metrics"]
    for split, count in (("val", 143), ("test", 360)):
        pictures = read_pictures(tmp_path, split)
        assert len(pictures.labels) == count
        for name, scored in pictures.scores.items():
            assert scored.mean(dtype=np.float64) == pytest.approx(metrics[f"{split}_{name}"], rel=1e-5), (split, name)


def test_lines_stand_where_evaluations_are_due(tiny_run, run_tiny, tmp_path):
    """Every twentieth of 81 steps, and at the end; the losses are means over the steps since the last line."""
    run_tiny(tiny_run(), tmp_path)
    lines = read_lines(tmp_path / "metrics.jsonl")
    every = 0.05 * 1294 / 16
    assert [line["step"] for line in lines] == [5, 9, 12]
    assert [int(line["step"] / every) for line in lines] == [1, 2, 2]
    assert [line["images_seen"] for line in lines] == [80, 144, 192]


@pytest.mark.slow
def test_the_test_split_is_read_once_at_the_end(tiny_run, run_tiny, tmp_path, watched_scores):
    seen = []
    watched_scores(lambda subject, split, evaluation: seen.append((split, len(subject.pictures(split)))))
    run_tiny(tiny_run(), tmp_path / "ordinary")
    # the validation split at each line, and for what its single pictures score
    assert seen == [("val", 143)] * 3 + [("test", 360), ("val", 143)]
    assert not any(key.startswith("test") for line in read_lines(tmp_path / "ordinary/metrics.jsonl") for key in line)
    seen.clear()
    run_tiny(tiny_run(test_every_epoch=True), tmp_path / "peeking")
    assert seen.count(("test", 360)) == 1 + 3
    assert all("test_top1" in line for line in read_lines(tmp_path / "peeking/metrics.jsonl"))


@pytest.mark.slow
def test_the_validation_split_is_the_same_for_all_seeds(tiny_run, run_tiny, tmp_path, watched_scores):
    splits = []
    watched_scores(
        lambda subject, split, evaluation: splits.append(subject.pictures(split).pixels) if split == "val" else None
    )
    for seed in (0, 5):
        run_tiny(tiny_run(seed=seed, steps=1), tmp_path / str(seed))
    run_tiny(tiny_run(seed=0, val_seed=1, steps=1), tmp_path / "other")
    first, second, other = splits[::2]  # each is measured twice
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@pytest.mark.slow
@pytest.mark.parametrize(("every", "expected"), [(None, [5, 9, 12]), (0.1, [9, 12])])
def test_an_evaluator_has_a_rhythm_of_its_own(tiny_run, run_tiny, tmp_path, every, expected):
    """Lines stand where anything is due; what is not due then is not in them."""
    along = {"name": "scores", "split": "val", "when": "along", "every": every}
    run_tiny(tiny_run(evaluators=[along, {"name": "scores"}]), tmp_path)
    lines = read_lines(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines] == [5, 9, 12]
    assert [line["step"] for line in lines if "val_loss" in line] == expected


def test_without_a_validation_split_nothing_is_held_out(tiny_run, run_tiny, tmp_path):
    metrics = run_tiny(tiny_run(val_fraction=0.0), tmp_path)["metrics"]
    assert not any(key.startswith("val") for key in metrics)
    assert metrics["best_step"] is None


@pytest.mark.slow
def test_stacked_runs_have_the_results_of_single_ones(tiny_run, run_tiny, tmp_path):
    stacked = train_stacked(tiny_run(), tmp_path / "stacked", seeds=(4, 2))
    for seed, result in zip((4, 2), stacked, strict=True):
        alone = run_tiny(tiny_run(seed=seed), tmp_path / f"alone-{seed}", precision="fp64")
        for name in ("val_loss", "val_top1", "test_loss", "test_top1", "train_loss", "train_top1"):
            assert result["metrics"][name] == pytest.approx(alone["metrics"][name], rel=1e-9), name


def test_runs_of_different_structure_are_refused(tiny_run, tmp_path):
    with pytest.raises(SpecError, match=r"weight_decay, optim\.schedule only"):
        train([tiny_run(), tiny_run(steps=5)], [tmp_path / "a", tmp_path / "b"], overrides=DOUBLE)


# --------------------------------------------------------------------------------------------------- the best step


def test_the_best_on_validation_is_kept_and_tested(tiny_run, run_tiny, tmp_path, watched_scores):
    """Lines at steps 5, 9 and 12, whose validation accuracies are made to be .3, .9 and .5."""
    planned = iter([0.3, 0.9, 0.5, 0.9])  # the last with the best weights

    def scripted(subject, split, evaluation):
        if split == "val":
            return evaluation._replace(metrics=[evaluation.metrics[0] | {"top1": next(planned)}])
        return None

    watched_scores(scripted)
    metrics = run_tiny(tiny_run(weights="best"), tmp_path)["metrics"]
    lines = read_lines(tmp_path / "metrics.jsonl")
    assert (metrics["best_step"], metrics["val_top1"]) == (9, 0.9)
    assert metrics["val_loss"] == lines[1]["val_loss"] != lines[2]["val_loss"]
    assert steps_kept(tmp_path, "best")[-1] == 9
    again = evaluate_checkpoint(tmp_path, device="cpu").values  # which reads the best checkpoint
    assert again["test_top1"] == metrics["test_top1"]
    assert again["test_loss"] == pytest.approx(metrics["test_loss"], rel=1e-6)


def test_the_last_weights_are_tested_unless_the_best_are_asked_for(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run(), tmp_path)
    assert steps_kept(tmp_path, "best") == []


# --------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(("rate", "clip"), [(1e30, None), (1e30, 1.0), (1e38, None)])
def test_a_loss_that_is_no_number_stops_and_says_where(tiny_run, run_tiny, tmp_path, rate, clip):
    spec = tiny_run({"optim.lr": rate, "optim.clip_norm": clip, "optim.schedule.warmup_lr": 1e-3}, evaluate_every=1.0)
    with pytest.raises(Diverged) as caught:
        run_tiny(spec, tmp_path, save=1)
    message = str(caught.value)
    result = read_json(tmp_path / "result.json")
    assert (result["status"], result["reason"]) == ("failed", message)
    step = result["metrics"]["steps"]
    assert f"at step {step} (epoch {step * 16 / 1294:.2f}, learning rate " in message
    assert "seed 0" in message
    assert "optim.lr" in message
    kept = native.latest(tmp_path / "checkpoint")
    assert str(kept) in message
    assert all(tensor.isfinite().all() for tensor in native.load(kept).tensors.model.values())
    assert native.load(kept).step <= step


@pytest.mark.slow
@pytest.mark.parametrize("step", [7, 11])
def test_weights_that_are_no_numbers_are_never_saved_nor_finished_with(tiny_run, run_tiny, tmp_path, at_step, step):
    """A gradient may be infinite where the loss is finite; 11 is the last step, after which no loss is computed."""
    real = Loop.step

    def spoiling(loop):
        real(loop)
        if loop.state.step == step + 1:
            loop.state.weights.masters[0][0, 3] = float("nan")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "step", spoiling)
        with pytest.raises(Diverged, match=f"at step {step} "):
            run_tiny(tiny_run(), tmp_path, save=1)
    assert steps_kept(tmp_path) == [step - 1, step]
    assert read_json(tmp_path / "result.json")["status"] == "failed"


@pytest.mark.parametrize("val_fraction", [0.1, 0.0])
def test_weights_too_large_to_evaluate_fail(tiny_run, run_tiny, tmp_path, val_fraction):
    """Finite, but the forward pass overflows: no line with a loss that is no number, no finished run."""
    real = Loop.step

    def growing(loop):
        real(loop)
        if loop.state.step == 12:
            for master in loop.state.weights.masters:
                master.mul_(1e30)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "step", growing)
        with pytest.raises(Diverged, match="at step 11 "):
            run_tiny(tiny_run(val_fraction=val_fraction), tmp_path)
    assert read_json(tmp_path / "result.json")["status"] == "failed"
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["last", "best"])
def test_only_the_bad_one_of_stacked_runs_fails(tiny_run, tmp_path, at_step, weights):
    spec = tiny_run(weights=weights)
    good = train_stacked(spec, tmp_path / "good", seeds=(0, 2))

    def spoil(loop):
        loop.state.weights.masters[0][1, 0] = float("inf")

    at_step(4, spoil)  # before the first evaluation
    results = train_stacked(spec, tmp_path / "mixed")
    assert [result["status"] for result in results] == ["finished", "failed", "finished"]
    assert "seed 1" in results[1]["reason"]
    assert "step 4 " in results[1]["reason"]
    assert steps_kept(tmp_path / "mixed/1") == [3]
    for mine, theirs in ((results[0], good[0]), (results[2], good[1])):
        assert mine["metrics"]["test_loss"] == pytest.approx(theirs["metrics"]["test_loss"], rel=1e-9)


@pytest.mark.slow
def test_a_failed_run_does_not_hold_up_the_resume_of_the_others(tiny_run, tmp_path, at_step):
    """It stopped saving long before they did: they go on from their own latest checkpoint."""

    def spoil(loop):
        loop.state.weights.masters[0][1, 0] = float("inf")

    at_step(2, spoil)
    at_step(11, crash)
    with pytest.raises(ConnectionError):
        train_stacked(tiny_run(), tmp_path)
    assert (steps_kept(tmp_path / "0"), steps_kept(tmp_path / "1")) == ([6, 9], [])
    started = []
    at_step(9, lambda loop: started.append(loop.state.step))
    results = train_stacked(tiny_run(), tmp_path, resume=True)
    assert [result["status"] for result in results] == ["finished", "failed", "finished"]
    assert started == [9]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to …"),
        MemoryError(),
    ],
)
def test_out_of_memory_names_the_setting_to_lower(tiny_run, run_tiny, tmp_path, at_step, error):
    def fail(loop):
        raise error

    at_step(5, fail)
    with pytest.raises(UserError) as caught:
        run_tiny(tiny_run(), tmp_path)
    message = str(caught.value)
    assert "out of memory on cpu" in message
    assert "batch_size=16" in message
    assert "--micro-batch 8" in message


def test_another_error_passes_through(tiny_run, run_tiny, tmp_path, at_step):
    def fail(loop):
        raise RuntimeError("a bug")

    at_step(5, fail)
    with pytest.raises(RuntimeError, match=r"^a bug$"):
        run_tiny(tiny_run(), tmp_path)


@pytest.mark.slow
def test_after_out_of_memory_a_resume_with_a_smaller_micro_batch_goes_on(tiny_run, run_tiny, tmp_path, at_step):
    """The advice can be followed: what the user says now goes before what was recorded, and is recorded."""

    def full(loop):
        raise MemoryError

    at_step(7, full)
    spec = tiny_run()
    with pytest.raises(UserError):
        run_tiny(spec, tmp_path / "full")
    seen = []
    at_step(8, lambda loop: seen.append(loop.gradient.micro_batch))
    run_tiny(spec, tmp_path / "full", micro_batch=5, resume=True)
    assert seen == [5]
    env = read_json(tmp_path / "full/env.json")
    assert env["choices"]["micro_batch"] == 5
    assert env["choices"]["threads"] == 1
    assert "hardware" in env


@pytest.mark.slow
def test_what_was_chosen_at_the_start_is_used_again(tiny_run, tmp_path, at_step):
    spec = tiny_run()

    def crash(loop):
        raise ConnectionError

    at_step(5, crash)
    with pytest.raises(ConnectionError):
        train(
            [spec],
            [tmp_path],
            overrides=Overrides(device="cpu", precision="fp64", kernel="explicit", micro_batch=6, threads=1),
            checkpoints=CheckpointPolicy(3),
        )
    seen = []
    at_step(5, lambda loop: seen.append((loop.gradient.micro_batch, loop.state.weights.masters[0].dtype)))
    train([spec], [tmp_path], overrides=Overrides(), resume=True)
    assert seen == [(6, torch.float64)]


def test_a_full_disk_ends_the_run_and_keeps_the_last_complete_checkpoint(tiny_run, run_tiny, tmp_path, monkeypatch):
    real, written = native.save_file, []

    def full(tensors, path):
        written.append(path)
        if len(written) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(tensors, path)

    monkeypatch.setattr(native, "save_file", full)
    with pytest.raises(CheckpointError) as caught:
        run_tiny(tiny_run(), tmp_path)
    assert "No space left on device" in str(caught.value)
    assert "step-00000009" in str(caught.value)
    assert str(tmp_path / "checkpoint/step-00000006") in str(caught.value)
    assert steps_kept(tmp_path) == [3, 6]
    assert list((tmp_path / "checkpoint").glob(".*")) == []
    native.load(tmp_path / "checkpoint/step-00000006")


# ----------------------------------------------------------------------------------------------------- initial weights


@pytest.mark.slow
def test_init_starts_from_the_weights_of_another_run(tiny_run, run_tiny, tmp_path, at_step):
    run_tiny(tiny_run(), tmp_path / "first")
    given = native.load(native.latest(tmp_path / "first/checkpoint")).tensors.model
    seen = []
    at_step(0, lambda loop: seen.append({n: t.clone() for n, t in loop.state.evaluated(0).items()}))
    run_tiny(tiny_run(seed=1), tmp_path / "second", init=tmp_path / "first")
    assert all(torch.equal(seen[0][name], given[name]) for name in given)


@pytest.mark.slow
def test_a_resume_before_the_first_checkpoint_does_not_forget_init(tiny_run, run_tiny, tmp_path, at_step, records_of):
    run_tiny(tiny_run(), tmp_path / "first")
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    run_tiny(tiny_run(seed=1), straight, init=tmp_path / "first")

    def crash(loop):
        raise ConnectionError

    at_step(2, crash)
    with pytest.raises(ConnectionError):
        run_tiny(tiny_run(seed=1), broken, init=tmp_path / "first")
    run_tiny(tiny_run(seed=1), broken, init=tmp_path / "first", resume=True)
    assert records_of(broken) == records_of(straight)


def test_init_of_another_model_names_what_does_not_fit(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run({"model.depth": 1, "model.mlp_ratio": 1.0}), tmp_path / "small")
    with pytest.raises(CheckpointError) as caught:
        run_tiny(tiny_run(), tmp_path / "large", init=tmp_path / "small")
    message = str(caught.value)
    assert "missing: blocks.1." in message
    assert "of another shape: blocks.0.mlp." in message
    assert str(tmp_path / "small") in message


def test_spec_json_is_the_spec(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run(steps=1), tmp_path, recipe="digits")
    record = json.loads((tmp_path / "spec.json").read_text())
    assert record["recipe"] == "digits"
    assert record["spec"]["model"]["embed_dim"] == 16
    assert len(record["id"]) == 12


@pytest.mark.slow
def test_what_a_run_started_from_is_in_its_record_and_in_its_id(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run(), tmp_path / "first")
    run_tiny(tiny_run(), tmp_path / "second", init=tmp_path / "first")
    first, second = (json.loads((tmp_path / name / "spec.json").read_text()) for name in ("first", "second"))
    assert second["spec"]["start"]["path"] == str(tmp_path / "first")
    assert len(second["spec"]["start"]["checksum"]) == 32
    assert first["spec"]["start"] == {"name": "scratch"}
    assert first["id"] != second["id"]


@pytest.mark.slow
def test_a_source_that_has_moved_is_the_same_start_and_need_not_be_there_any_more(
    tiny_run, run_tiny, tmp_path, at_step, records_of
):
    """The id is of the weights' content; once a run has begun it has them."""
    run_tiny(tiny_run(), tmp_path / "first")
    run_tiny(tiny_run(seed=1), tmp_path / "straight", init=tmp_path / "first")
    at_step(2, crash)
    with pytest.raises(ConnectionError):
        run_tiny(tiny_run(seed=1), tmp_path / "run", init=tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "moved")
    recorded = from_dict(RunSpec, json.loads((tmp_path / "run/spec.json").read_text())["spec"])
    run_tiny(recorded, tmp_path / "run", resume=True)
    assert records_of(tmp_path / "run") == records_of(tmp_path / "straight")


@pytest.mark.slow
def test_a_run_does_not_go_on_from_other_weights_than_it_began_with(tiny_run, run_tiny, tmp_path, at_step):
    run_tiny(tiny_run(), tmp_path / "source")
    at_step(5, crash)
    with pytest.raises(ConnectionError):
        run_tiny(tiny_run(seed=1), tmp_path / "run")
    with pytest.raises(UserError, match=r"other settings:\n  start scratch → checkpoint\n"):
        run_tiny(tiny_run(seed=1), tmp_path / "run", init=tmp_path / "source", resume=True)


def test_what_is_refused_leaves_the_folder_free(tiny_run, run_tiny, tmp_path):
    """Weights that do not fit, or a crop larger than the picture, are found out before the folder is a run."""
    (tmp_path / "bad.pt").write_text("no checkpoint")
    with pytest.raises(UserError, match="or not a checkpoint"):
        run_tiny(tiny_run(), tmp_path / "run", init=tmp_path / "bad.pt")
    with pytest.raises(UserError, match="padding"):
        run_tiny(tiny_run(augment=[{"name": "crop", "padding": 9, "fill": "reflect"}]), tmp_path / "run")
    assert run_tiny(tiny_run(), tmp_path / "run")["status"] == "finished"


@pytest.mark.slow
def test_a_resumed_run_no_longer_says_that_it_was_interrupted(tiny_run, run_tiny, tmp_path, at_step):
    at_step(5, lambda loop: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        run_tiny(tiny_run(), tmp_path / "run")
    assert (tmp_path / "run/result.json").exists()
    seen = []
    at_step(8, lambda loop: seen.append((tmp_path / "run/result.json").exists()))
    run_tiny(tiny_run(), tmp_path / "run", resume=True)
    assert seen == [False]


@pytest.mark.slow
def test_dropout_in_evaluations_is_a_slip_that_can_be_asked_for(tiny_run, run_tiny, tmp_path):
    settings = {"model.mlp_dropout": 0.5, "optim.lr": 1e-12}
    right, noisy, again = (
        run_tiny(tiny_run(settings, evaluate_with_dropout=slip), tmp_path / name)["metrics"]["test_loss"]
        for name, slip in (("right", False), ("noisy", True), ("again", True))
    )
    assert noisy == again  # drawn from the seed and the picture's place
    assert abs(noisy - right) > 1e-4


def test_repeated_images_lengthen_the_epoch(tiny_run, run_tiny, tmp_path):
    run_tiny(tiny_run(repeats=2), tmp_path)
    last = read_lines(tmp_path / "metrics.jsonl")[-1]
    assert last["epoch"] == pytest.approx(12 * 16 / (2 * 1294))


@pytest.mark.slow
def test_a_gpu_is_taken_when_deterministic_kernels_are_settled(tiny_run, tmp_path, monkeypatch):
    settled = []
    monkeypatch.setattr(Processes, "set_gpu", lambda self: settled.append(torch.are_deterministic_algorithms_enabled()))
    train(
        [tiny_run()], [tmp_path / "any"], overrides=Overrides(deterministic=True, precision="fp32", kernel="explicit")
    )
    train([tiny_run()], [tmp_path / "cpu"], overrides=DOUBLE)
    assert settled == [True]


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_several_processes_share_no_single_device(device):
    with pytest.raises(UserError, match=f"--device {device} and 2 processes; legal: cpu, or cuda"):
        _check_device(Processes(0, 2), device)
    for shared in ("cpu", "cuda"):
        _check_device(Processes(0, 2), shared)
    _check_device(ALONE, device)


@pytest.mark.parametrize(("weights", "asked"), [("last", 1), ("best", 2)])
def test_processes_that_see_different_checkpoints_do_not_go_on(tiny_run, tmp_path, monkeypatch, weights, asked):
    """They would train, or test, different weights: the folder is on no disk that they share."""
    answers = iter([True] * (asked - 1) + [False])
    monkeypatch.setattr(Processes, "all_agree", lambda self, value: next(answers))
    with pytest.raises(UserError, match="must be on a shared disk"):
        train([tiny_run(weights=weights)], [tmp_path / "run"], overrides=DOUBLE)
