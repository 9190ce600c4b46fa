import json
import os
import re
import shlex
import shutil
import signal

import pytest

from tests.reading import read_json
from vitlab.base.files import read_lines
from vitlab.checkpoints import native
from vitlab.train.step.loop import Loop


def weights(run):
    return (native.latest(run / "checkpoint") / "model.safetensors").read_bytes()


def at_step(monkeypatch, step, action):
    real = Loop.step

    def stepping(loop):
        if loop.state.step == step:
            action(loop)
        real(loop)

    monkeypatch.setattr(Loop, "step", stepping)


# ---------------------------------------------------------------------------------------------------------- that works


def test_json_is_one_object_and_nothing_else(vitlab, tiny, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--out", tmp_path / "run", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == read_json(tmp_path / "run/result.json")
    assert answer.out.count("\n") == 1


def test_what_a_person_sees(vitlab, tiny, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--out", tmp_path / "run")
    assert (answer.code, answer.err) == (0, "")
    assert "8 steps of 16 images on cpu, fp32, explicit attention, 1 thread" in answer.out
    assert re.search(r"epoch +0\.1 +step +8 +train loss \d\.\d+ .* val loss \d\.\d+", answer.out)
    assert re.search(rf"{tmp_path}/run: test top-1 \d+\.\d\d %, \d+\.\d+ s", answer.out)


def test_settings_data_and_seed_reach_the_record(vitlab, tiny, tmp_path):
    changes = ("--seed", 3, "--set", "optim.lr=0.01", "--set", "model.attention=linear", "--data", "digits")
    assert vitlab("train", "digits", *tiny, *changes, "--out", tmp_path / "run").code == 0
    spec = read_json(tmp_path / "run/spec.json")
    assert spec["recipe"] == "digits"
    assert (spec["spec"]["seed"], spec["spec"]["optim"]["lr"], spec["spec"]["model"]["depth"]) == (3, 0.01, 2)
    assert spec["spec"]["model"]["attention"]["name"] == "linear"


def test_a_run_s_record_can_be_trained_again(vitlab, finished, tmp_path):
    options = ("--device", "cpu", "--precision", "fp32", "--kernel", "explicit", "--threads", "1")
    answer = vitlab("train", finished / "spec.json", *options, "--out", tmp_path / "again")
    assert answer.code == 0
    assert read_json(tmp_path / "again/spec.json")["id"] == read_json(finished / "spec.json")["id"]
    assert weights(tmp_path / "again") == weights(finished)


def test_a_bare_spec_can_be_trained(vitlab, finished, tmp_path):
    spec = read_json(finished / "spec.json")["spec"] | {"steps": 1}
    (tmp_path / "mine.json").write_text(json.dumps(spec))
    answer = vitlab(
        "train",
        tmp_path / "mine.json",
        "--out",
        tmp_path / "run",
        "--threads",
        "1",
        "--precision",
        "fp32",
        "--kernel",
        "explicit",
    )
    assert answer.code == 0


@pytest.mark.slow
def test_seeds_are_trained_at_once_in_folders_of_their_own(vitlab, tiny, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--seeds", 2, "--out", tmp_path, "--json")
    runs = json.loads(answer.out)["runs"]
    assert answer.code == 0
    assert runs == [read_json(tmp_path / f"seed-{seed}/result.json") for seed in (0, 1)]
    assert [read_json(tmp_path / f"seed-{seed}/spec.json")["spec"]["seed"] for seed in (0, 1)] == [0, 1]
    assert weights(tmp_path / "seed-0") != weights(tmp_path / "seed-1")


@pytest.mark.slow
def test_one_failed_seed_is_said_and_is_the_exit_code(vitlab, tiny, tmp_path, monkeypatch):
    def spoil(loop):
        loop.state.weights.masters[0][1, 0] = float("nan")

    at_step(monkeypatch, 4, spoil)
    answer = vitlab("train", "digits", *tiny, "--seeds", 2, "--out", tmp_path)
    assert answer.code == 2
    assert f"{tmp_path}/seed-0: test top-1" in answer.out
    assert f"{tmp_path}/seed-1: failed: " in answer.out
    assert "step 4" in answer.out


@pytest.mark.slow
def test_a_micro_batch_changes_next_to_nothing(vitlab, tiny, finished, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--micro-batch", 5, "--out", tmp_path / "run", "--json")
    found, expected = json.loads(answer.out)["metrics"], read_json(finished / "result.json")["metrics"]
    assert read_json(tmp_path / "run/env.json")["choices"]["micro_batch"] == 5
    assert found["test_loss"] == pytest.approx(expected["test_loss"], rel=1e-4)


@pytest.mark.slow
def test_checkpointing_changes_no_bit_and_a_resume_knows_of_it(vitlab, tiny, finished, tmp_path, monkeypatch):
    words = ("train", "digits", *tiny, "--out", tmp_path / "run")
    with monkeypatch.context() as patch:
        at_step(patch, 4, lambda loop: os.kill(os.getpid(), signal.SIGTERM))
        answer = vitlab(*words, "--checkpointing")
    assert answer.code == 143
    assert "explicit attention, 1 thread, checkpointing" in answer.out
    assert vitlab(*words, "--resume").code == 0
    assert read_json(tmp_path / "run/env.json")["choices"]["checkpointing"] is True
    assert weights(tmp_path / "run") == weights(finished)


def test_deterministic_is_said_and_recorded_and_changes_no_bit_on_a_cpu(vitlab, tiny, finished, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--deterministic", "--out", tmp_path / "run")
    assert answer.code == 0
    assert "1 thread, deterministic (a CPU always is)" in answer.out
    assert read_json(tmp_path / "run/env.json")["choices"]["deterministic"] is True
    assert weights(tmp_path / "run") == weights(finished)


def test_tensorboard_events_are_written_where_they_are_asked_for(vitlab, tiny, finished, tmp_path):
    pytest.importorskip("tensorboard")
    assert vitlab("train", "digits", *tiny, "--tensorboard", "--out", tmp_path / "run").code == 0
    assert len(list((tmp_path / "run/tensorboard").iterdir())) == 1
    assert not (finished / "tensorboard").exists()


# ------------------------------------------------------------------------------------------------ stopping and going on


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_and_the_command_that_it_prints(vitlab, tiny, finished, tmp_path, monkeypatch, signum, code):
    with monkeypatch.context() as patch:
        at_step(patch, 4, lambda loop: os.kill(os.getpid(), signum))
        answer = vitlab("train", "digits", *tiny, "--out", tmp_path / "run")
    assert (answer.code, answer.err) == (code, "")
    assert "Traceback" not in answer.out
    assert read_json(tmp_path / "run/result.json")["status"] == "interrupted"
    (hint,) = re.findall(r"continue with: vitlab (.*)\n", answer.out)
    assert vitlab(*shlex.split(hint)).code == 0
    assert weights(tmp_path / "run") == weights(finished)


def test_a_finished_run_ends_with_0_and_stays(vitlab, tiny, tmp_path):
    words = ("train", "digits", *tiny, "--out", tmp_path / "run")
    vitlab(*words)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert vitlab(*words, "--resume").code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_an_occupied_folder_is_refused(vitlab, tiny, finished):
    answer = vitlab("train", "digits", *tiny, "--out", finished)
    assert answer.code == 2
    assert f"--out {finished}" in answer.err
    assert "--resume" in answer.err


@pytest.mark.slow
def test_resume_without_a_checkpoint_starts(vitlab, tiny, tmp_path):
    assert vitlab("train", "digits", *tiny, "--out", tmp_path / "new", "--resume").code == 0


def test_a_diverged_run_ends_with_2(vitlab, tiny, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--set", "optim.lr=1e30", "--out", tmp_path / "run")
    assert answer.code == 2
    assert re.search(r"at step \d+ \(epoch 0\.\d+, learning rate \d.*e\+?\d+\)", answer.err)
    assert "Traceback" not in answer.err
    assert len(answer.err.splitlines()) == 2
    assert read_json(tmp_path / "run/result.json")["status"] == "failed"


# ----------------------------------------------------------------------------------------------------- initial weights


@pytest.mark.slow
def test_init_from_a_run_and_from_its_file(vitlab, tiny, finished, tmp_path, monkeypatch):
    starts = []
    at_step(monkeypatch, 0, lambda loop: starts.append(loop.state.evaluated(0)["head.weight"].clone()))
    sources = (
        finished,
        native.latest(finished / "checkpoint"),
        native.latest(finished / "checkpoint") / "model.safetensors",
    )
    for number, source in enumerate(sources):
        assert (
            vitlab("train", "digits", *tiny, "--seed", 1, "--init", source, "--out", tmp_path / str(number)).code == 0
        )
    expected = native.load(native.latest(finished / "checkpoint")).tensors.model["head.weight"]
    assert all(start.tolist() == expected.tolist() for start in starts)


def test_init_from_a_malicious_pickle_is_refused_and_not_run(vitlab, tiny, tmp_path):
    import torch

    proof = tmp_path / "executed"

    class Malicious:
        def __reduce__(self):
            return os.system, (f"touch {proof}",)

    torch.save({"head.weight": Malicious()}, tmp_path / "weights.pt")
    answer = vitlab("train", "digits", *tiny, "--init", tmp_path / "weights.pt", "--out", tmp_path / "run")
    assert answer.code == 2
    assert "not opened" in answer.err
    assert "Traceback" not in answer.err
    assert not proof.exists()


def test_init_of_another_model_says_what_does_not_fit(vitlab, tiny, finished, tmp_path):
    answer = vitlab("train", "digits", *tiny, "--set", "model.depth=3", "--init", finished, "--out", tmp_path / "run")
    assert answer.code == 2
    assert "missing: blocks.2." in answer.err


# ------------------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("digit",), ("unknown recipe 'digit'", "digits")),
        (("digits", "--data", "cifar11"), ("'cifar11'", "cifar10")),
        (("digits", "--set", "model.attenton=linear"), ("'model.attenton'", "model.attention")),
        (("digits", "--set", "model.attention=lineer"), ("unknown attention 'lineer'", "linear")),
        (("digits", "--set", "model=vit_tiny_patch16_22"), ("'vit_tiny_patch16_22'", "vit_tiny_patch16_224")),
        (("digits", "--set", "model.patch_size=3"), ("patch_size=3", "img_size=8")),
        (("digits", "--set", "model.num_heads=7"), ("num_heads=7", "embed_dim=64")),
        (
            ("digits", "--set", "model.attention=linear", "--set", "model.pos_embed=relative_bias"),
            ("pos_embed=relative_bias", "attention=linear"),
        ),
        (("digits", "--set", "model.pool=cls"), ("pool=cls", "cls_token=False")),
        (("digits", "--set", "epochs=5", "--set", "steps=5"), ("epochs=5", "steps=5")),
        (("digits", "--set", "optim.optimizer=adamx"), ("unknown optimizer 'adamx'", "adamw")),
        (("digits", "--set", "data=5"), ("data=5",)),
        (("digits", "--set", "data={}"), ("data={}",)),
        (("digits", "--set", "model=null"), ("model=None",)),
        (("digits", "--set", "augment=5"), ("augment=5", "list")),
        (("digits", "--set", "seed=1.5"), ("seed=1.5", "a whole number")),
        (("digits", "--set", "steps"), ("--set steps", "PATH=VALUE")),
        (("digits", "--precision", "fp16"), ("--precision fp16", "fp32, bf16, fp64")),
        (("digits", "--device", "tpu"), ("--device tpu", "cpu")),
        (("digits", "--init", "nowhere.pt"), ("nowhere.pt does not exist",)),
        (("nowhere.json",), ("nowhere.json",)),
    ],
)
def test_mistakes_end_with_2_and_a_line(vitlab, tmp_path, words, said):
    unmeasured = ("--precision", "fp32", "--kernel", "explicit", "--threads", 1)
    answer = vitlab("train", *unmeasured, *words, "--out", tmp_path / "run")
    assert answer.code == 2
    assert all(word in answer.err for word in said), answer.err
    assert "Traceback" not in answer.err
    assert 1 <= len(answer.err.splitlines()) <= 2


@pytest.mark.parametrize("text", ["[1, 2]", "{", '"digits"', '{"spec": 3}', '{"spec": {"modell": {}}}', "{}"])
def test_a_file_that_is_no_spec(vitlab, tmp_path, text):
    (tmp_path / "mine.json").write_text(text)
    answer = vitlab("train", tmp_path / "mine.json", "--out", tmp_path / "run")
    assert (answer.code, answer.out) == (2, "")
    assert "Traceback" not in answer.err


def test_a_folder_that_may_not_be_written(vitlab, tiny, tmp_path):
    (tmp_path / "file").write_text("in the way")
    answer = vitlab("train", "digits", *tiny, "--out", tmp_path / "file" / "run")
    assert answer.code == 2
    assert "file" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.slow
def test_a_run_goes_on_though_what_it_started_from_is_gone(vitlab, tiny, finished, tmp_path):
    source, out = tmp_path / "source", tmp_path / "run"
    shutil.copytree(finished, source)
    words = ("train", "digits", *tiny, "--seed", 3, "--init", source, "--out", out)
    assert vitlab(*words).code == 0
    (out / "result.json").unlink()
    shutil.rmtree(source)
    assert vitlab(*words, "--resume").code == 0
    assert "does not exist" in vitlab(*words[:-1], tmp_path / "another").err


def test_a_path_to_start_from_says_enough(vitlab, tiny, finished, tmp_path):
    assert vitlab("train", "digits", *tiny, "--set", f"start.path={finished}", "--out", tmp_path / "run").code == 0
    assert read_json(tmp_path / "run/spec.json")["spec"]["start"]["name"] == "checkpoint"


@pytest.mark.slow
def test_a_measured_training_split_is_what_the_result_says(vitlab, tiny, tmp_path):
    evaluators = '[{"name": "scores", "split": "train"}, "scores"]'
    assert vitlab("train", "digits", *tiny, "--set", f"evaluators={evaluators}", "--out", tmp_path / "run").code == 0
    result, (*_, line) = read_json(tmp_path / "run/result.json"), read_lines(tmp_path / "run/metrics.jsonl")
    assert result["metrics"]["train_top1"] != line["train_top1"]
