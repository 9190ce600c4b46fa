"""Training as people run it: gone on with, on other systems, by several processes, interrupted."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.fieldcases.conftest import TINY, study_file
from tests.reading import read_json
from vitlab.base.env import usable_cores
from vitlab.base.errors import UserError
from vitlab.base.files import write_json
from vitlab.recipes import changed, recipe
from vitlab.records.history import read_history

ROOT = Path(__file__).parents[2]

# -------------------------------------------------------------------------------------------------- 25: a shorter run


@pytest.mark.parametrize("length", [{"epochs": 2}, {"steps": 30}])
def test_25_the_rate_of_a_shortened_recipe_reaches_its_base_and_falls(length):
    """Case 25: the commonest first change of a newcomer, below the recipe's warm-up of 3 epochs; and it is said."""
    said: list[str] = []
    spec = changed(recipe("digits"), length, said.append)
    assert any(line.startswith("warm-up: 3 → ") for line in said)
    per_epoch = spec.planned_steps_per_epoch()
    steps = spec.total_steps(per_epoch)
    rates = [spec.optim.schedule.lr(spec.optim.lr, step, steps, per_epoch) for step in range(steps)]
    assert max(rates) == pytest.approx(spec.optim.lr, rel=0.01)
    assert rates.index(max(rates)) < steps / 4
    assert rates[-1] < spec.optim.lr / 100


# ---------------------------------------------------------------------------------------------------- 24: a longer run


def test_24_a_resume_with_another_length_says_what_differs_and_the_way_on(tree, run, tmp_path):
    """Case 24: a finished run is to go on for more epochs: its schedule has ended, so it is another training."""
    data = tree("d", ["a", "b"], 10)
    first = run(data, steps=None, epochs=2)
    with pytest.raises(UserError) as caught:
        run(data, resume=True, steps=None, epochs=4)
    assert str(caught.value).splitlines() == [
        f"--resume {first}: the run there has other settings:",
        "  epochs 2 → 4",
        "A run keeps its settings. To train on from its weights, with a new schedule:",
        f"  --init {first} and another --out",
    ]
    more = run(data, "more", init=first, steps=None, epochs=2)
    assert read_json(more / "result.json")["status"] == "finished"
    assert read_history(more)[0]["lr"] == read_history(first)[0]["lr"]


# --------------------------------------------------------------------------------------------------- 29: other systems


@pytest.mark.slow
def test_29_without_the_module_resource_everything_can_be_imported():
    """Case 29: Windows has no module `resource`; and where there is no /proc, memory is asked for in another way."""
    program = """
import sys
sys.modules["resource"] = None
import vitlab.cli.app, vitlab.cli.train, vitlab.train.launch, vitlab.train.run, vitlab.study.launch
import vitlab.train.machine.memory as memory
assert memory.process_peak_bytes() > 1 << 20
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_29_a_system_that_opens_no_folder_writes_files_all_the_same(tmp_path, monkeypatch):
    """Case 29: Windows refuses to open a folder, which is done to flush its names."""
    real = os.open

    def refuses(path, *arguments, **named):
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refuses)
    write_json(tmp_path / "record.json", {"value": 1})
    assert read_json(tmp_path / "record.json")["value"] == 1


def test_29_the_readme_says_what_it_runs_on():
    """Case 29: before anybody tries."""
    assert re.search(r"tested on Linux.*Windows", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


# ----------------------------------------------------------------------------------------------- 30: several processes

SLOW_DIGITS = '''"""Digits that the first process takes its time to prepare."""

import os
import time
from dataclasses import dataclass

from vitlab.data.sets import digits


@dataclass(frozen=True)
class Spec(digits.Spec):
    """As they are."""

    def read(self):
        if os.environ["RANK"] == "0":
            time.sleep(float(os.environ["PREPARING"]))
        return super().read()
'''
PATIENT = """
import os
from datetime import timedelta
from vitlab import processes
processes.PATIENCE = timedelta(seconds=float(os.environ["PATIENCE"]))
from vitlab.cli.app import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("preparing", "patience", "code"), [(5, 600, 0), (30, 3, 1)])
def test_30_the_others_wait_for_the_first_process_or_say_for_what(tmp_path, preparing, patience, code):
    """Case 30: who gives up says that the first process may still be preparing the data, and not that it ended."""
    (tmp_path / "sets_of_mine").mkdir()
    (tmp_path / "sets_of_mine/__init__.py").touch()
    (tmp_path / "sets_of_mine/slow.py").write_text(SLOW_DIGITS)
    (tmp_path / "start.py").write_text(PATIENT)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(tmp_path / "start.py"))
    words = ["train", "digits", "--set", "data=sets_of_mine.slow", "--out", str(tmp_path / "run"), *_tiny_options()]
    done = subprocess.run(
        [sys.executable, *launcher, *words],
        cwd=tmp_path,
        env=os.environ | {"PREPARING": str(preparing), "PATIENCE": str(patience)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    assert ("which may still be preparing the data" in done.stderr) is (code == 1)
    assert "another process of this job ended" not in done.stderr


def _tiny_options() -> list[str]:
    changes = ("model.embed_dim=16", "model.depth=1", "model.num_heads=2", "epochs=null", "steps=4")
    settings = [word for change in (*changes, "optim.schedule=cosine") for word in ("--set", change)]
    return ["--device", "cpu", "--precision", "fp32", "--kernel", "explicit", "--threads", "1", *settings]


# ----------------------------------------------------------------------------------------------------------- 31: Ctrl-C


BEGUN = """
import signal
from pathlib import Path
from vitlab.data import workers

signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started by
real = workers.look


def look(*arguments):
    Path({marker!r}).touch()
    return real(*arguments)


workers.look = look
"""
IN_TIME = 25.0  # seconds, on a machine that has other things to do; all pictures take minutes


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of large pictures, all the same file, which take minutes to decode on however many cores."""
    root = tmp_path_factory.mktemp("large")
    noise = np.random.default_rng(0).integers(0, 256, (4000, 6000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(root / "0.jpg", quality=80)
    for label in ("a", "b"):
        (root / "set" / label).mkdir(parents=True)
        for number in range(100 * (usable_cores() or 1)):
            os.link(root / "0.jpg", root / "set" / label / f"{number}.jpg")
    return root / "set"


@pytest.fixture
def interrupted(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """`interrupted("data", folder)`: the command, which gets Ctrl-C as it begins to decode; its code and output."""
    marker, patch = tmp_path / "begun", tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(BEGUN.format(marker=str(marker)))

    def run(*words: object) -> tuple[int, str]:
        with subprocess.Popen(
            [sys.executable, "-m", "vitlab", *map(str, words)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(patch), *map(os.path.abspath, sys.path)])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                while not marker.exists() and process.poll() is None:
                    time.sleep(0.05)
                family = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGINT)
                said, _ = process.communicate(timeout=IN_TIME)
            finally:
                process.kill()
        _, left = psutil.wait_procs(family, timeout=IN_TIME)
        assert not left
        return process.returncode, said

    return run


def _prepared(cache):
    """The sets of data that are kept."""
    return {path for path in cache.rglob("*") if path.is_file() and path.parent.name != "costs"}


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["train", "data", "evaluate", "study"])
def test_31_ctrl_c_while_pictures_are_decoded_ends_the_command(verb, large, interrupted, tree, run, tmp_path):
    """Case 31: it does not wait for what was asked for ahead, and leaves nothing half written."""
    cache = tmp_path / "cache"
    if verb == "evaluate":
        words = ("evaluate", run(tree("d", ["a", "b"], 4)), "--data", large)
    elif verb == "study":
        base = {"recipe": "pictures", "data": {"name": "folder", "path": str(large), "img_size": 8, "num_classes": 2}}
        base |= {key: value for key, value in TINY.items() if not key.startswith("data")}
        file = study_file(tmp_path / "study.json", base, seeds=2)
        words = ("study", file, "--out", tmp_path / "out", "--device", "cpu", "--precision", "fp32")
    elif verb == "train":
        words = ("train", "pictures", "--data", large, "--out", tmp_path / "out", *_tiny_options())
    else:
        words = ("data", large)
    before = _prepared(cache)  # by the run that is evaluated
    code, said = interrupted(*words)
    assert code == 130, said
    assert "Traceback" not in said
    assert _prepared(cache) == before
    assert list(tmp_path.rglob("*.tmp")) == []
    assert not (tmp_path / "out/runs").exists()
    assert (tmp_path / "out").exists() is (verb == "study")
