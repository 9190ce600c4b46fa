"""Training on a disk that is full: what is said, what survives, and what a resume gives. Case 32."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fieldcases.conftest import CHOICES, TINY, study_file
from tests.reading import read_json
from vitlab import api
from vitlab.base.errors import CheckpointError
from vitlab.base.files import append_line, read_lines
from vitlab.records.history import read_history
from vitlab.study.study_dir import StudyDir
from vitlab.train.step.loop import Loop
from vitlab.train.trainer import Trainer

pytestmark = pytest.mark.slow


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
    assert [path.name for path in (disk / "run").rglob(".*")] == [".lock"]
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
    assert answer.err.strip() == f"vitlab: {disk}/S/plan.json: No space left on device"
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
