"""Small studies; records without training; and workers that only pretend to train, so that a study takes moments."""

import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tests.train.conftest import TINY
from vitlab.base.files import write_json
from vitlab.base.spec import from_dict
from vitlab.recipes import changed
from vitlab.records.pictures import PictureScores
from vitlab.records.run import RunDeclaration
from vitlab.study.design import listed
from vitlab.study.design._base import Level
from vitlab.study.plan import plan
from vitlab.study.spec import StudySpec
from vitlab.study.study_dir import StudyDir, StudyRun
from vitlab.train.machine.choices import Overrides
from vitlab.train.spec import RunSpec

# nothing is left to measure but the execution
OVERRIDES = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
FAKE = Path(__file__).with_name("pretend.py")


@pytest.fixture(scope="session")
def base_run() -> Callable[..., RunSpec]:
    """`base_run({"batch_size": 8})`: a run of twelve steps on the digits, D 16, depth 2."""
    return lambda settings={}: changed(from_dict(RunSpec, TINY), settings)


@pytest.fixture(scope="session")
def study_of(base_run: Callable[..., RunSpec]) -> Callable[..., StudySpec]:
    """`study_of({"cell": {settings}, …}, num_seeds=3, metric=…)`: a listed study; or `study_of(a design, …)`. It has so
    few seeds that it asks for no verdicts.
    """

    def make(cells: Any, base: Mapping[str, Any] = {}, **more: Any) -> StudySpec:
        design = listed.Spec(tuple(Level(*each) for each in cells.items())) if isinstance(cells, Mapping) else cells
        usual = {"question": "What does it do?", "base": base_run(base), "design": design, "verdicts": False}
        return StudySpec(**usual | more)

    return make


class Records:
    """A study's folder, filled by hand."""

    def __init__(self, study: StudySpec, path: Path):
        self.folder = StudyDir(path)
        self.folder.claim(plan(study).as_record())
        self.plan = self.folder.plan()

    def at(self, cell: str, seed: int, value: str | None = None) -> StudyRun:
        """A run, of the tuned value or of the only one."""
        found = next(each for each in self.plan.cells if each.name == cell)
        if value is None:
            candidate = self.folder.chosen(self.plan, found)
        else:
            candidate = next(each for each in found.candidates if each.name == value)
        assert candidate is not None
        return self.folder.run(found, candidate, seed)

    def place(self, cell: str, seed: int, value: str | None = None) -> Path:
        """Where it stands."""
        return self.at(cell, seed, value).place

    def run(self, cell: str, seed: int, status: str = "finished", value: str | None = None, **metrics: Any) -> None:
        """The records of a run that ended; `reason` is one of them."""
        reason = metrics.pop("reason", None)
        path, spec = self.at(cell, seed, value)
        RunDeclaration(cell, "", spec, {}, "val_top1").write(path)
        counts = {"train": {"images": 90}, "val": {"images": 10}, "test": {"images": 40}}
        write_json(path / "data.json", {"order": "exact", **counts})
        write_json(path / "result.json", {"status": status, "reason": reason, "metrics": metrics})

    def scores(self, cell: str, scores: Mapping[int, float], metric: str = "test_top1") -> None:
        """Finished runs of a cell, by seed."""
        for seed, score in scores.items():
            self.run(cell, seed, **{metric: score})

    def pictures(
        self,
        cell: str,
        seed: int,
        right: Sequence[float],
        labels: Sequence[int] | None = None,
        split: Literal["test", "val"] = "test",
    ) -> None:
        """Which of the held-out images a run classifies rightly; there are two classes."""
        truth = np.array(labels or [0] * len(right))
        PictureScores(split, truth, {"top1": np.array(right)}).write(self.place(cell, seed))


@pytest.fixture
def records(tmp_path: Path) -> Callable[[StudySpec], Records]:
    """`records(study)`: a folder with the plan of that study, to be filled."""
    return lambda study, folder="study": Records(study, tmp_path / folder)


class Pretended:
    """What the workers that pretend are told, and what they were asked."""

    def __init__(self, folder: Path):
        self.path, self.log = folder / "script.json", folder / "asked.jsonl"
        self.script: dict[str, Any] = {"paces": {}, "runs": {}}
        self.write()

    def write(self) -> None:
        self.path.write_text(json.dumps(self.script | {"log": str(self.log)}))

    def pace(self, **seconds: Any) -> None:
        """Seconds of a step: `stacked`, `alone`; or why there are none: `refuse`, `refuse_stacks`; or `hang`."""
        self.script["paces"] |= seconds
        self.write()

    def when(self, run: str, does: str, **more: Any) -> None:
        """What happens when a run is trained, named by `CELL/seed-N`: see `pretend.py`."""
        self.script["runs"][run] = {"does": does, **more}
        self.write()

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the workers were asked so far, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def trained(self) -> list[list[str]]:
        """The runs of each job so far."""
        return [each["runs"] for each in self.asked if each["do"] == "train"]


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretended:
    """Have workers pretend; a cache of our own, so that nothing is remembered from elsewhere."""
    folder = tmp_path / "pretended"
    folder.mkdir()
    found = Pretended(folder)
    starter = folder / "python"
    starter.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{FAKE}" "{found.path}"\n')
    starter.chmod(0o755)
    monkeypatch.setattr("vitlab.study.executor._worker_pool.sys.executable", str(starter))
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("vitlab.study.allowance.SHARE", math.inf)  # to start one takes longer than what it pretends
    return found


def with_seeds(study: StudySpec, count: int) -> StudySpec:
    """The same study with so many seeds."""
    return replace(study, num_seeds=count)
