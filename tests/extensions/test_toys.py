"""A task, an evaluator and an executor of a user's own: three files in a folder of theirs, and no other line anywhere.

The task has parameters and masks patches; the evaluator measures what no task does; the executor runs every job as a
process of its own. They are trained, stacked too, killed and resumed, compared in a study, and shown.
"""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.reading import read_json
from tests.train.conftest import TINY
from vitlab import api
from vitlab.base.errors import SpecError
from vitlab.base.files import read_lines
from vitlab.base.spec import from_dict, to_dict
from vitlab.checkpoints import native
from vitlab.learner import build_learner
from vitlab.recipes import changed
from vitlab.records.outcome import Outcome
from vitlab.rng import sample_keys
from vitlab.study.design.one_at_a_time import Spec as OneAtATime
from vitlab.study.spec import StudySpec, factor
from vitlab.study.study_dir import StudyDir
from vitlab.train.spec import RunSpec

OURS = {"device": "cpu", "precision": "fp32", "kernel": "explicit", "threads": 1}
PARAMETERS = {"task.blank", "task.decoder.weight", "task.decoder.bias"}


def train(spec, out, **more):
    return api.train(spec, out, overrides=OURS, **more)


# --------------------------------------------------------------------------------------------------------- one training


def test_it_is_trained_and_stands_in_the_records(spec_of, tmp_path):
    (result,) = train(spec_of(), tmp_path / "run")
    assert {"test_error", "val_error", "train_error", "test_spread"} <= result["metrics"].keys()
    assert not [name for name in result["metrics"] if "top1" in name or "loss" in name]
    declared = read_json(tmp_path / "run" / "spec.json")
    assert (declared["selects"], declared["metrics"]["test_spread"]["better"]) == ("val_error", "higher")
    assert all(line["val_error"] > 0 for line in read_lines(tmp_path / "run" / "metrics.jsonl"))
    assert not (tmp_path / "run" / "predictions.npz").exists()
    assert api.summary(tmp_path / "run").startswith("test error of the blanks 0.")


@pytest.mark.slow
def test_its_parameters_are_trained_averaged_and_saved_apart_from_the_model(spec_of, tmp_path):
    spec = spec_of()
    train(spec, tmp_path / "run")
    saved = native.load(native.latest(tmp_path / "run" / "checkpoint")).tensors
    drawn = build_learner(spec.model, spec.task, spec.seed).tensors()
    assert {f"task.{name}" for name in saved.task} == PARAMETERS
    assert not PARAMETERS & saved.model.keys()
    for name in PARAMETERS:
        raw, average = saved.training[f"weights.{name}"], saved.task[name.removeprefix("task.")]
        assert not torch.equal(raw, drawn[name])
        assert not torch.equal(average, raw)
    model = api.load(tmp_path / "run")
    assert model.state_dict().keys() == saved.model.keys()


@pytest.mark.slow
def test_its_score_is_measured_again_from_a_checkpoint_alone(spec_of, tmp_path):
    """A masked validation hides the same patches of an image every time, whatever the seed of the run."""
    (result,) = train(spec_of(seed=3), tmp_path / "run")
    folder = native.latest(tmp_path / "run" / "checkpoint")
    score = api.evaluate(folder.rename(tmp_path / "alone"), device="cpu")
    assert score.values["test_error"] == pytest.approx(result["metrics"]["test_error"], rel=1e-6)


def test_what_it_cannot_learn_from_is_refused(spec_of):
    with pytest.raises(SpecError, match=r"mixer=fft needs all patches"):
        spec_of(**{"model.mixer": "fft"})


@pytest.mark.slow
def test_weights_of_its_own_are_no_part_of_a_later_start(spec_of, tmp_path):
    """The model alone is what the next run begins with."""
    train(spec_of(), tmp_path / "pretrained")
    finetuned = changed(from_dict(RunSpec, TINY), {"model.cls_token": True, "steps": 2})
    train(finetuned, tmp_path / "finetuned", init=tmp_path / "pretrained")
    assert read_json(tmp_path / "finetuned" / "spec.json")["drawn"] == []


# -------------------------------------------------------------------------------------------------------------- stacked


@pytest.mark.slow
@pytest.mark.parametrize("checkpointing", [False, True])
def test_stacked_runs_are_those_that_are_alone(spec_of, tmp_path, checkpointing):
    """Parameters of the task too, in double precision; each hides other patches."""
    exact = OURS | {"precision": "fp64", "checkpointing": checkpointing or None}
    stacked = api.train(spec_of(), tmp_path / "stacked", seeds=[0, 1], overrides=exact)
    for seed, result in enumerate(stacked):
        api.train(spec_of(seed=seed), tmp_path / f"alone-{seed}", overrides=exact)
        theirs = read_json(tmp_path / f"alone-{seed}" / "result.json")["metrics"]
        for name in ("test_error", "val_error", "test_spread"):
            assert result["metrics"][name] == pytest.approx(theirs[name], rel=1e-9)
        mine, other = (
            native.load(native.latest(tmp_path / place / "checkpoint")).tensors
            for place in (f"stacked/seed-{seed}", f"alone-{seed}")
        )
        assert all(torch.allclose(mine.task[name], other.task[name], rtol=0, atol=1e-10) for name in other.task)
    assert stacked[0]["metrics"]["test_error"] != stacked[1]["metrics"]["test_error"]


def test_the_same_patches_are_hidden_every_time(spec_of, normal):
    """By the sample's key alone: drop path and dropout draw elsewhere."""
    spec = spec_of()
    learner = build_learner(spec.model, spec.task, 0)
    images, targets = normal(4, 1, 8, 8), torch.zeros(4, 10)
    keys, other = (sample_keys(torch.tensor([seed]), torch.arange(4))[0] for seed in (0, 1))
    scores = [learner.scores(images, targets, given, None).objective for given in (keys, keys, other)]
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])


# --------------------------------------------------------------------------------------------------- killed and resumed

PROGRAM = f"""
import json, sys
from vitlab import api
from vitlab.base.spec import from_dict
from vitlab.train.spec import RunSpec
spec = from_dict(RunSpec, json.load(open(sys.argv[1])))
how = {{"overrides": {OURS!r}, "checkpoints": {{"steps": 8}}, "resume": True}}
api.train(spec, sys.argv[2], seeds=[0, 1] if sys.argv[3] == "stacked" else None, **how)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["alone", "stacked"])
def test_killed_and_resumed_is_straight_through(spec_of, tmp_path, records_of, way):
    """SIGKILL, twice, in the middle; weights of model, task, average and optimiser are the same bits."""
    (tmp_path / "spec.json").write_text(json.dumps(to_dict(spec_of(steps=160, evaluate_every=1.0))))
    seeds = ("seed-0", "seed-1") if way == "stacked" else (".",)

    def start(name):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "spec.json"), str(tmp_path / name), way]
        return subprocess.Popen(command)

    def last_step(name):
        # seed by seed, not rglob: a folder that is renamed while rglob walks through it is an error of the walk
        run_dirs = (tmp_path / name / seed for seed in seeds)
        return max((native.step_of(step) for run in run_dirs for step in run.glob("checkpoint/step-*")), default=0)

    assert start("straight").wait(300) == 0
    for _ in range(2):
        process, before = start("killed"), last_step("killed")
        while process.poll() is None and last_step("killed") < before + 16:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert last_step("killed") < 160
    assert start("killed").wait(300) == 0
    for seed in seeds:
        assert records_of(tmp_path / "killed" / seed) == records_of(tmp_path / "straight" / seed)


# ---------------------------------------------------------------------------------------------------- studies and pages


@pytest.mark.slow
def test_a_study_of_it_runs_on_an_executor_of_ours_and_is_reported(spec_of, tmp_path):
    """Stacked jobs in processes that the executor starts; compared by what the task says; on its page."""
    hidden = factor("task.hidden", 0.25, 0.75, name="hidden")
    study = StudySpec("Does hiding more help?", spec_of(), OneAtATime((hidden,)), num_seeds=3, verdicts=False)
    outcome = api.study(study, tmp_path / "study", overrides=OURS, stack=True, on="toys_of_ours.spool")
    assert outcome.complete
    assert (outcome.metric, outcome.better) == ("test_error", "lower")
    assert len(list((tmp_path / "study" / "spool").iterdir())) == 2
    assert StudyDir(tmp_path / "study").executions({"kind": "spool"}).keys() == {"baseline", "hidden-0.75"}
    assert Outcome.read(tmp_path / "study") == outcome
    assert api.study(study, tmp_path / "study", overrides=OURS, on="toys_of_ours.spool") == outcome
    page = (tmp_path / "study" / "report.html").read_text()
    assert "Does hiding more help?" in page
    assert "test error of the blanks" in page
    run = tmp_path / "study" / outcome.cells[0].runs[0].folder
    page = api.report(run).read_text()
    assert "Error of the blanks" in page
    assert "Spread of features" in page


@pytest.mark.slow
def test_what_fails_on_it_is_told(spec_of, tmp_path):
    rates = factor("optim.lr", 1e-3, 1e30, name="rate")
    study = StudySpec(
        "Is it told?", spec_of(**{"optim.clip_norm": None}), OneAtATime((rates,)), num_seeds=1, verdicts=False
    )
    outcome = api.study(study, tmp_path / "study", overrides=OURS, stack=False, on="toys_of_ours.spool")
    (missing,) = outcome.missing
    assert missing.startswith("rate 1e+30, seed 0: failed: the loss or a weight of seed 0 stopped being a finite")


def test_they_are_listed(ours, vitlab):
    for name, words in (("blanks", "`hidden`"), ("spread", "`power`"), ("spool", "`at_once`")):
        listed = vitlab("list", f"toys_of_ours.{name}")
        assert listed.code == 0, listed.err
        assert words in listed.out
