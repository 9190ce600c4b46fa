"""Whole studies, really trained: plan, processes, records, statistics."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

import psutil
import pytest

from tests.reading import read_json
from tests.study.conftest import OVERRIDES
from vitlab import api
from vitlab.study import allowance, autotune
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import factor
from vitlab.study.study_dir import StudyDir
from vitlab.train.machine.cache import host

WAYS: dict[str, Mapping] = {
    "alone": {"jobs": 1, "stack": False},
    "stacked": {"jobs": 1, "stack": True},
    "sides": {"jobs": 2, "stack": False},
}


@pytest.fixture(autouse=True)
def quickly(tmp_path, monkeypatch):
    """Hardly any time to measure, though never too little for trainings as short as these; a memory of our own."""
    monkeypatch.setattr(autotune, "SECONDS", 0.01)
    monkeypatch.setattr(allowance, "SHARE", math.inf)
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))


@pytest.mark.slow
def test_a_small_study_from_question_to_answer(study_of, tmp_path):
    study = study_of(one_at_a_time.Spec((factor("model.pos_embed", "sincos2d", "none"),)), num_seeds=2)
    said = api.study(study, tmp_path / "study", overrides=OVERRIDES, **WAYS["stacked"])
    assert said.complete
    assert [cell.name for cell in said.cells] == ["baseline", "model.pos_embed none"]
    for cell in said.cells:
        assert cell.score.n == 2
        for run in cell.runs:
            folder = tmp_path / "study" / run.folder
            assert run.metrics == read_json(folder / "result.json")["metrics"]
            spec = read_json(folder / "spec.json")
            assert (spec["recipe"], spec["spec"]["seed"]) == (cell.name, run.seed)
            assert spec["spec"]["model"]["pos_embed"]["name"] == ("none" if "none" in cell.name else "sincos2d")
    (comparison,) = said.comparisons
    differences = [b - a for a, b in zip(*(top1_of(cell) for cell in said.cells), strict=True)]
    assert comparison.decision.value == pytest.approx(sum(differences) / 2, abs=1e-12)
    assert said.images == 360
    assert said.no_pictures == ""
    assert comparison.decision.picture_error is not None
    costs = said.cell("baseline").costs
    assert costs["seconds_per_step"] > costs["seconds_per_image"] > 0
    cell = StudyDir(tmp_path / "study").executions(host())["baseline"]
    assert cell.execution["stack"] == "cell"
    assert read_json(tmp_path / "study" / "study.json")["missing"] == []


def top1_of(cell):
    return [run.metrics["test_top1"] for run in cell.runs]


@pytest.mark.slow
def test_all_ways_give_every_seed_the_scores_that_it_has_alone(study_of, tmp_path):
    """In single precision: losses within 1e-4, accuracies within one image. Alone and side by side: the same bits."""
    study = study_of({"plain": {}, "linear": {"model.attention": "linear"}}, {"steps": 50}, num_seeds=3)
    runs = {
        way: {
            (cell.name, run.seed): run.metrics
            for cell in api.study(study, tmp_path / way, overrides=OVERRIDES, **asked).cells
            for run in cell.runs
        }
        for way, asked in WAYS.items()
    }
    scores = ("test_loss", "test_top1", "test_top5", "val_loss", "val_top1", "val_top5", "train_loss")
    for key, alone in runs["alone"].items():
        for name in scores:
            allowed = 1e-4 if name.endswith("loss") else 1 / (360 if name.startswith("test") else 140)
            assert abs(runs["stacked"][key][name] - alone[name]) <= allowed
            assert runs["sides"][key][name] == alone[name]


def kill_the_worker_of(run: Path) -> None:
    """As soon as the run is in training; no other process works then."""
    while not (run / "spec.json").exists():
        time.sleep(0.01)
    for child in psutil.Process().children():
        child.kill()


@pytest.mark.slow
def test_what_fails_is_recorded_and_the_rest_goes_on(study_of, tmp_path):
    """A rate that diverges, pictures that are not there, a process that is killed from outside; all at once."""
    folder = {"name": "folder", "path": "not/there", "img_size": [8, 8], "in_chans": 1, "num_classes": 10}
    cells = {
        "plain": {},
        "hot": {"optim.lr": 1e30, "optim.clip_norm": None},
        "nowhere": {"data": folder},
        "killed": {"steps": 300, "model.depth": 3},
        "last": {"model.depth": 1},
    }
    study = study_of(cells, num_seeds=2, equal="nothing")
    killer = Thread(target=kill_the_worker_of, args=(tmp_path / "study" / "runs" / "killed" / "seed-0",))
    killer.start()
    said = api.study(study, tmp_path / "study", overrides=OVERRIDES, **WAYS["alone"])
    killer.join()
    reasons = {line.partition(": ")[0]: line.partition(": ")[2] for line in said.missing}
    assert set(reasons) == {"hot, seed 0", "hot, seed 1", "nowhere, seed 0", "nowhere, seed 1", "killed, seed 0"}
    assert reasons["hot, seed 1"].startswith("failed: the loss or a weight of seed 1 stopped being a finite number")
    assert "not/there" in reasons["nowhere, seed 0"]
    assert reasons["killed, seed 0"] == "failed: its process was killed; the machine may have run out of memory"
    assert {cell.name: cell.score.n for cell in said.cells} == {
        "plain": 2,
        "hot": 0,
        "nowhere": 0,
        "killed": 1,
        "last": 2,
    }
    values = {each.cell: each.decision.value for each in said.comparisons}
    assert (values["hot"], values["nowhere"]) == (None, None)
    assert said.cell("hot").lost == "2 of 2 runs diverged"
    json.dumps(read_json(tmp_path / "study" / "study.json"), allow_nan=False)
