"""A study that is killed or stopped in the middle and taken up again says what an undisturbed one says."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.study.conftest import OVERRIDES
from vitlab.base.spec import to_dict
from vitlab.records.execution import CellExecution
from vitlab.study.execution import Execution
from vitlab.study.plan import plan
from vitlab.study.spec import StudySpec, factor
from vitlab.study.study_dir import StudyDir
from vitlab.train.machine.cache import host

PROGRAM = f"""
import sys
from pathlib import Path
from rich.console import Console
from vitlab.base.spec import from_dict
from vitlab.study import allowance, autotune
from vitlab.study.files import read_study_spec
from vitlab.study.launch import run_study
from vitlab.study.outcome import outcome
from vitlab.train.machine.choices import Overrides
from vitlab.base.errors import Interrupted

autotune.SECONDS = 0.01
allowance.SHARE = float("inf")  # never too little for trainings as short as these
jobs, stack = int(sys.argv[1]), sys.argv[2] == "stacked"
overrides = from_dict(Overrides, {to_dict(OVERRIDES)!r})
try:
    run_study(
        read_study_spec("mine.json"), Path("study"), jobs=jobs, stack=stack, overrides=overrides, console=Console()
    )
    outcome(Path("study")).write(Path("study"))
except Interrupted as stop:
    sys.exit(stop.code)
"""
TIMES = ("train_seconds", "seconds_per_epoch", "images_per_second", "peak_memory_bytes")  # of every run's metrics
MACHINE = ("seconds_per_step", "seconds_per_image")  # of every cell's costs: measured, as are their fronts


@pytest.fixture
def study(study_of):
    """Three cells, one of which diverges; three seeds; a grid of two values."""
    cells = {"plain": {}, "deep": {"model.depth": 3}, "hot": {"optim.lr": 1e30, "optim.clip_norm": None}}
    cells = {name: {"optim.weight_decay": 0.05} | settings for name, settings in cells.items()}
    tune = factor("optim.schedule.min_lr", 0.0, 1e-3, name="floor")
    return study_of(cells, {"steps": 60}, num_seeds=3, tune=tune)


@pytest.fixture
def start(study, tmp_path):
    """`start("folder", way)`: a process that works on the study in that folder."""

    def starting(name: str, way: tuple[str, str], given: StudySpec = study) -> subprocess.Popen[str]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "mine.json").write_text(json.dumps(to_dict(given)))
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *way],
            cwd=folder,
            env=os.environ | {"VITLAB_CACHE": str(folder / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return starting


def said(folder: Path) -> dict[str, Any]:
    """All of study.json but for times."""
    record = json.loads((folder / "study" / "study.json").read_text())
    for costs in (record["fronts"], *(cell["costs"] for cell in record["cells"])):
        for name in MACHINE:
            costs.pop(name, None)
    for measured in (record, *record["cells"]):
        measured.pop("busy", None)
        measured.pop("ratios", None)
    for cell in record["cells"]:
        for run in cell["runs"]:
            for name in TIMES:
                run["metrics"].pop(name, None)
    return record


def flat(values: Any, path: str = "") -> dict[str, Any]:
    """All plain values by their place."""
    inside = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else None
    if inside is None:
        return {path: values}
    return {place: value for key, item in inside for place, value in flat(item, f"{path}.{key}").items()}


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two plain values are equal; floating-point ones up to a relative tolerance."""
    floats = isinstance(one, float) and isinstance(other, float)
    return one == other or (floats and math.isclose(one, other, rel_tol=tolerance))


def differing(folder: Path, undisturbed: Path, way: tuple[str, str]) -> dict[str, tuple[Any, Any]]:
    """What two studies say otherwise, by its place. An end between two runs' checkpoints leaves a stack whose runs go
    on from different steps, so in other stacks: then a run's numbers are those that it had, up to rounding.
    """
    here, there = flat(said(folder)), flat(said(undisturbed))
    tolerance = 0.0 if way[1] == "apart" else 1e-6
    places = here.keys() | there.keys()
    return {
        place: (here.get(place), there.get(place))
        for place in places
        if place not in here or place not in there or not same(here[place], there[place], tolerance)
    }


def records(folder: Path, name: str) -> list[Path]:
    """The runs' files of this name; not by rglob, to which a folder that is renamed meanwhile is an error."""
    return [Path(place, name) for place, _, files in os.walk(folder / "study" / "runs") if name in files]


def finished(folder: Path) -> dict[str, tuple[int, int]]:
    """Which file each run that has ended has as its result, and since when."""
    ended = {}
    for path in records(folder, "result.json"):
        with suppress(FileNotFoundError):  # an interrupted run is being gone on with
            if json.loads(path.read_text())["status"] in ("finished", "failed"):
                ended[str(path)] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return ended


def wait_for(process: subprocess.Popen[str], folder: Path, ended: int) -> None:
    """Until so many runs have ended and another one is being trained."""
    while process.poll() is None:
        begun, results = (records(folder, name) for name in ("spec.json", "result.json"))
        # What an earlier process left begun is nobody's work yet: somebody has to work on it.
        if len(finished(folder)) >= ended and len(begun) > len(results) and workers(process):
            return
        time.sleep(0.005)


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Who trains for it: not whatever else it starts, as ldconfig while a CUDA build of torch is imported."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if "vitlab.study.worker" in child.cmdline():
                found.append(child)
    return found


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=300)
    return process.returncode, err


def decide(folder: Path, study: StudySpec, execution: Execution) -> None:
    """Have all cells trained so; two measurements may choose differently, and then rounding differs."""
    planned, study_dir = plan(study), StudyDir(folder)
    study_dir.claim(planned.as_record())
    told = CellExecution(to_dict(execution), str(execution), {}, None, seeds=study.num_seeds)
    study_dir.note_executions(host(), {cell.folder: replace(told, steps=cell.steps) for cell in planned.cells})


WAYS = [("1", "stacked"), ("2", "apart")]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "kills"), [(WAYS[0], (1, 2)), (WAYS[1], (2,))], ids=["stacked", "side by side"])
def test_killed_in_the_middle(study, start, tmp_path, way, kills):
    """Killed when so many more runs have ended, again and again, and then left in peace."""
    if way[1] == "stacked":
        for name in ("undisturbed", "killed"):
            decide(tmp_path / name / "study", study, Execution("cell", 1, "explicit"))
    code, err = end(start("undisturbed", way))
    assert (code, err) == (0, "")
    chosen = random.Random(1)
    killed = 0
    for more in kills:
        before = finished(tmp_path / "killed")
        process = start("killed", way)
        wait_for(process, tmp_path / "killed", len(before) + more)
        time.sleep(chosen.uniform(0, 0.2))
        working = workers(process) if process.poll() is None else []
        process.kill()
        killed += end(process)[0] == -signal.SIGKILL
        assert before.items() <= finished(tmp_path / "killed").items()
        _, alive = psutil.wait_procs(working, timeout=10)
        assert alive == []
    assert killed == len(kills)
    assert not (tmp_path / "killed" / "study" / "study.json").exists()
    before = finished(tmp_path / "killed")
    assert before
    code, err = end(start("killed", way))
    assert (code, err) == (0, "")
    assert before.items() <= finished(tmp_path / "killed").items()
    assert differing(tmp_path / "killed", tmp_path / "undisturbed", way) == {}
    check(said(tmp_path / "killed"))


@pytest.mark.slow
def test_a_stack_over_cells_killed_in_the_middle(study_of, start, tmp_path):
    """Two cells of one structure, one of which has a rate that diverges, in one process that is killed twice."""
    cells = {"plain": {}, "slow": {"optim.lr": 1e-4}, "hot": {"optim.lr": 1e30}}
    given, way = study_of(cells, {"steps": 150, "optim.clip_norm": None}, num_seeds=2), ("1", "stacked")
    for name in ("undisturbed", "killed"):
        decide(tmp_path / name / "study", given, Execution("cells", 1, "explicit"))
    assert end(start("undisturbed", way, given)) == (0, "")
    for _ in range(2):
        process = start("killed", way, given)
        wait_for(process, tmp_path / "killed", 0)
        time.sleep(0.5)
        process.kill()
        assert end(process)[0] == -signal.SIGKILL
    assert end(start("killed", way, given)) == (0, "")
    assert said(tmp_path / "killed") == said(tmp_path / "undisturbed")
    assert [cell["score"]["n"] for cell in said(tmp_path / "killed")["cells"]] == [2, 2, 0]


def check(record: dict[str, Any]) -> None:
    """It is a study that says something: six trainings of two cells, and why the third has none."""
    assert [cell["score"]["n"] for cell in record["cells"]] == [3, 3, 0]
    assert len(record["missing"]) == 3
    assert all("stopped being a finite number" in line for line in record["missing"])
    assert record["comparisons"][0]["decision"]["value"] is not None


@pytest.mark.slow
def test_stopped_by_signals(study, start, tmp_path):
    """SIGTERM, then Ctrl-C in the process that went on, then left in peace."""
    way = ("1", "stacked")
    for name in ("undisturbed", "stopped"):
        decide(tmp_path / name / "study", study, Execution("cell", 1, "explicit"))
    assert end(start("undisturbed", way)) == (0, "")
    for signum, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        before = len(finished(tmp_path / "stopped"))
        process = start("stopped", way)
        wait_for(process, tmp_path / "stopped", before)
        process.send_signal(signum)
        assert end(process) == (expected, "")
        assert not (tmp_path / "stopped" / "study" / "study.json").exists()
        assert not (tmp_path / "stopped" / "study" / "failed.json").exists()
    assert end(start("stopped", way)) == (0, "")
    assert differing(tmp_path / "stopped", tmp_path / "undisturbed", way) == {}


@pytest.mark.slow
def test_two_processes_at_once(study_of, start, tmp_path):
    """The second one is refused, and the first one is not disturbed."""
    given, way = study_of({"plain": {}, "deep": {"model.depth": 3}}, {"steps": 20}, num_seeds=2), ("1", "stacked")
    decide(tmp_path / "study" / "study", given, Execution("cell", 1, "explicit"))
    first = start("study", way, given)
    wait_for(first, tmp_path / "study", 0)
    first.send_signal(signal.SIGSTOP)  # or it might be done before the second one has begun
    code, err = end(start("study", way, given))
    first.send_signal(signal.SIGCONT)
    assert code == 1
    assert "--out study: another process works on this study (process " in err
    assert end(first) == (0, "")
    assert [cell["score"]["n"] for cell in said(tmp_path / "study")["cells"]] == [2, 2]
