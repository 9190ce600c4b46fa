"""Training as people run it: gone on with, on other systems, by several processes, interrupted, on a full disk."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.fieldcases.conftest import CHOICES, TINY
from tests.reading import read_json
from vitlab import api
from vitlab.base.env import usable_cores
from vitlab.base.errors import CheckpointError, UserError
from vitlab.base.files import append_line, read_lines, write_json
from vitlab.records.history import read_history
from vitlab.study.study_dir import StudyDir
from vitlab.train.step.loop import Loop
from vitlab.train.trainer import Trainer

ROOT = Path(__file__).parents[2]

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
        "A run keeps its settings. To train on from its weights, with a schedule that begins anew:",
        f"  --init {first} and another --out",
    ]
    more = run(data, "more", init=first, steps=None, epochs=2)
    assert read_json(more / "result.json")["status"] == "finished"
    assert read_history(more)[0]["lr"] == read_history(first)[0]["lr"]


# --------------------------------------------------------------------------------------------------- 29: other systems


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


def study_file(path: Path, base: dict[str, object], seeds: int) -> Path:
    """A study of two cells."""
    design = {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "none"]}}
    path.write_text(json.dumps({"question": "Which?", "num_seeds": seeds, "base": base, "design": design}))
    return path


BEGUN = """
from pathlib import Path
from vitlab.data import workers

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
    """`interrupted("data", folder)`: the command, which gets Ctrl-C when it begins to decode; its code and its output."""
    marker, patch = tmp_path / "begun", tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(BEGUN.format(marker=str(marker)))

    def run(*words: object) -> tuple[int, str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "vitlab", *map(str, words)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(patch), *map(os.path.abspath, sys.path)])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            while not marker.exists() and process.poll() is None:
                psutil.wait_procs([psutil.Process(process.pid)], timeout=0.05)
            family = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=IN_TIME)
        finally:
            process.kill()
        _, left = psutil.wait_procs(family, timeout=IN_TIME)
        assert not left
        return process.returncode, said

    return run


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
    before = set(cache.rglob("*"))
    code, said = interrupted(*words)
    assert code == 130, said
    assert "Traceback" not in said
    assert {path for path in cache.rglob("*") if path.is_file()} <= before
    assert list(tmp_path.rglob("*.tmp")) == []
    assert not (tmp_path / "out/runs").exists()
    assert (tmp_path / "out").exists() is (verb == "study")


# -------------------------------------------------------------------------------------------------------- 32: full disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    try:
        subprocess.run(mount, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=True)


def fill(disk: Path) -> None:
    """Leave no room at all."""
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def make_room(disk: Path) -> None:
    """Room for everything."""
    (disk / "filling").unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], capture_output=True, check=True)


def digits(out: Path, **more: object) -> None:
    """A run of twelve steps with a checkpoint every third."""
    settings = {key: value for key, value in TINY.items() if not key.startswith("data")} | {"model.patch_size": 2}
    settings |= {"steps": 12, "evaluate_every": 0.01, "val_fraction": 0.1}
    api.train("digits", out, settings=settings, overrides=CHOICES, checkpoints={"steps": 3}, **more)


def weights(run: Path) -> dict[str, bytes]:
    """All that a resume must give back, bit for bit."""
    kept = sorted((run / "checkpoint").glob("*/*.safetensors"))
    assert kept
    return {str(path.relative_to(run)): path.read_bytes() for path in kept}


def scores(run: Path) -> list[dict[str, float]]:
    """The evaluations, but for the time that they took."""
    return [{key: value for key, value in line.items() if key != "seconds"} for line in read_history(run)]


@pytest.fixture
def full_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Path], None]:
    """`full_at(5, disk)`: the disk is full as soon as five steps are taken; with None when the training has ended."""
    step_taken, finish = Loop.step, Trainer._finish

    def arrange(step: int | None, disk: Path) -> None:
        def stepping(loop: Loop) -> None:
            step_taken(loop)
            if loop.state.step == step:
                fill(disk)

        def finishing(trainer: Trainer) -> None:
            if step is None:
                fill(disk)
            finish(trainer)

        monkeypatch.setattr(Loop, "step", stepping)
        monkeypatch.setattr(Trainer, "_finish", finishing)

    return arrange


@pytest.mark.parametrize(
    ("step", "file", "survivor"),
    [
        (1, "metrics.jsonl", None),
        (5, "checkpoint/step-00000006", 3),
        (11, "checkpoint/step-00000012", 9),
        (None, "predictions.npz", 12),
    ],
)
def test_32_a_full_disk_ends_a_run_and_a_resume_has_the_same_bits(
    disk, full_at, tmp_path, monkeypatch, step, file, survivor
):
    """Case 32: the file is named, and the checkpoint that survives."""
    digits(tmp_path / "undisturbed")
    full_at(step, disk)
    with pytest.raises(CheckpointError) as caught:
        digits(disk / "run")
    assert "No space left on device" in str(caught.value)
    assert f"{disk}/run/{file}" in str(caught.value)
    kept = f"the last complete checkpoint is {disk}/run/checkpoint/step-{survivor:08d}" if survivor else "no earlier"
    assert kept in str(caught.value)
    monkeypatch.undo()
    make_room(disk)
    digits(disk / "run", resume=True)
    assert weights(disk / "run") == weights(tmp_path / "undisturbed")
    assert scores(disk / "run") == scores(tmp_path / "undisturbed")


def test_32_a_checkpoint_that_has_no_room(disk, tmp_path):
    """Case 32: as it happens: a disk that is a little too small."""
    digits(tmp_path / "undisturbed")
    size = sum(path.stat().st_size for path in (tmp_path / "undisturbed").rglob("*") if path.is_file())
    subprocess.run(["mount", "-o", f"remount,size={size // 2}", str(disk)], capture_output=True, check=True)
    with pytest.raises(CheckpointError, match="No space left on device"):
        digits(disk / "run")
    assert not list((disk / "run").rglob(".*"))
    make_room(disk)
    digits(disk / "run", resume=True)
    assert weights(disk / "run") == weights(tmp_path / "undisturbed")


def test_32_a_cache_without_room_costs_time_alone(disk, tree, run, monkeypatch):
    """Case 32: `VITLAB_CACHE` on a full disk."""
    fill(disk)
    monkeypatch.setenv("VITLAB_CACHE", str(disk / "cache"))
    assert read_json(run(tree("d", ["a", "b"], 6)) / "result.json")["status"] == "finished"
    assert not [path for path in disk.rglob("*") if path.is_file() and path.name != "filling" and path.stat().st_size]


def test_32_a_study_on_a_full_disk_names_the_file(disk, vitlab, tmp_path):
    """Case 32: its plan, and its list of failures, which a full disk makes longer."""
    base = {"recipe": "digits_small", "model.depth": 1, "steps": 2, "epochs": None, "optim.schedule": "cosine"}
    file = study_file(tmp_path / "study.json", base, seeds=1)
    fill(disk)
    answer = vitlab("study", file, "--out", disk / "S", "--device", "cpu")
    assert answer.code == 2
    assert answer.err.strip() == f"vitlab: [Errno 28] No space left on device: '{disk}/S/plan.json'"
    with pytest.raises(OSError, match=r"No space left on device: '.*/S/failed\.json'"):
        StudyDir(disk / "S").note_failure(disk / "S/runs/baseline/seed-0", "no room")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_32_a_worker_whose_log_is_full_tells_what_failed():
    """Case 32: `workers.log`."""
    with (
        Path("/dev/full").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "vitlab.study.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as worker,
    ):
        worker.stdin.write('{"do": "train", "runs": 7}\n')
        worker.stdin.flush()
        answer = worker.stdout.readline()
        worker.stdin.close()
    assert answer == """{"failed": "TypeError: 'int' object is not iterable"}\n"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_32_a_line_that_could_not_be_added_names_its_file(tmp_path):
    """Case 32: an error of a write does not say by itself where it was."""
    (tmp_path / "lines.jsonl").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device: '.*/lines\.jsonl'"):
        append_line(tmp_path / "lines.jsonl", {"step": 1})


def test_32_a_line_that_was_cut_off_is_left_out(tmp_path):
    """Case 32: what a full disk leaves of a line."""
    (tmp_path / "lines.jsonl").write_text('{"step": 1}\n{"st', encoding="utf-8")
    assert read_lines(tmp_path / "lines.jsonl") == [{"step": 1}]
