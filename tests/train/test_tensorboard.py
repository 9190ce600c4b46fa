"""TensorBoard's events are the lines of metrics.jsonl, whatever happened to the run: read back with its own reader."""

import builtins
import dataclasses
from datetime import datetime

import pytest

from tests.reading import read_json
from tests.train.conftest import crash
from vitlab.base.errors import UserError
from vitlab.base.files import read_lines
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides
from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
from vitlab.train.tensorboard import tag_of

OVERRIDES = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
SAVING = CheckpointPolicy(3, 1e9)


@pytest.fixture
def reader_of():
    """`reader_of(run)`: TensorBoard's own reader of the run's events, which can be asked again and again."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    return lambda run: accumulator.EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})


@pytest.fixture
def scalars_of(reader_of):
    """`scalars_of(run)`: {tag: [(step, value), …]} as TensorBoard reads the run's events; they hold nothing else."""

    def read(run):
        events = reader_of(run).Reload()
        assert {kind for kind, found in events.Tags().items() if found} == {"scalars"}
        return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}

    return read


def scalars_in_lines(run):
    """The same from the record. Events are float32."""
    found = {}
    for line in read_lines(run / "metrics.jsonl"):
        step = line.pop("step")
        for name, value in line.items():
            found.setdefault(tag_of(name), []).append((step, pytest.approx(value, rel=1e-6)))
    return found


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("train_loss", "train/loss"),
        ("val_top1", "val/top1"),
        ("test_top5", "test/top5"),
        ("lr", "lr"),
        ("images_seen", "images_seen"),
    ],
)
def test_tags(name, tag):
    assert tag_of(name) == tag


@pytest.mark.slow
def test_every_scalar_of_every_line_at_its_step(tiny_run, tmp_path, scalars_of):
    train([tiny_run(test_every_epoch=True)], [tmp_path], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True)
    found = scalars_of(tmp_path)
    assert found == scalars_in_lines(tmp_path)
    assert {"train/loss", "train/top1", "val/loss", "val/top1", "test/top1", "lr", "epoch", "seconds"} <= found.keys()
    assert [step for step, _ in found["val/top1"]] == [5, 9, 12]


def test_they_are_there_while_the_run_trains(tiny_run, tmp_path, at_step, scalars_of):
    seen = []
    at_step(7, lambda loop: seen.append(scalars_of(tmp_path)["train/loss"]))
    train([tiny_run()], [tmp_path], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True)
    assert [step for step, _ in seen[0]] == [5]


@pytest.mark.slow
def test_stacked_runs_have_a_view_each(tiny_run, tmp_path, scalars_of):
    folders = [tmp_path / str(seed) for seed in (0, 1)]
    train([tiny_run(seed=seed) for seed in (0, 1)], folders, overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True)
    one, other = map(scalars_of, folders)
    assert (one, other) == tuple(map(scalars_in_lines, folders))
    assert one["train/loss"] != other["train/loss"]


@pytest.mark.slow
def test_a_resumed_run_leaves_nothing_twice_and_nothing_that_it_took_back(tiny_run, tmp_path, at_step, scalars_of):
    """A checkpoint of step 6 and a line of step 9 are left. The resume needs no flag to keep the view true."""
    at_step(11, crash)
    with pytest.raises(ConnectionError):
        train(
            [tiny_run()],
            [tmp_path],
            overrides=OVERRIDES,
            checkpoints=dataclasses.replace(SAVING, steps=6),
            tensorboard=True,
        )
    assert [step for step, _ in scalars_of(tmp_path)["lr"]] == [5, 9]
    seen = []
    at_step(8, lambda loop: seen.append(scalars_of(tmp_path)["lr"]))
    train([tiny_run()], [tmp_path], overrides=OVERRIDES, resume=True)
    assert [step for step, _ in seen[0]] == [5]
    assert scalars_of(tmp_path) == scalars_in_lines(tmp_path)
    assert sum(file.stat().st_size > 0 for file in (tmp_path / "tensorboard").iterdir()) == 1


@pytest.mark.slow
def test_an_open_tensorboard_sees_what_a_new_one_would(tiny_run, tmp_path, at_step, reader_of):
    at_step(11, crash)
    with pytest.raises(ConnectionError):
        train(
            [tiny_run()],
            [tmp_path],
            overrides=OVERRIDES,
            checkpoints=dataclasses.replace(SAVING, steps=6),
            tensorboard=True,
        )
    (file,) = (tmp_path / "tensorboard").iterdir()
    file.rename(file.with_name("events.out.tfevents.1600000000.earlier"))  # names begin with the second
    reader = reader_of(tmp_path).Reload()
    assert [event.step for event in reader.Scalars("lr")] == [5, 9]
    train([tiny_run()], [tmp_path], overrides=OVERRIDES, resume=True)
    assert reader.Reload().Scalars("lr") == reader_of(tmp_path).Reload().Scalars("lr")
    assert [event.step for event in reader.Scalars("lr")] == [5, 9, 12]


@pytest.mark.slow
def test_a_view_can_be_asked_for_later(tiny_run, tmp_path, at_step, scalars_of):
    at_step(8, crash)
    with pytest.raises(ConnectionError):
        train([tiny_run()], [tmp_path], overrides=OVERRIDES, checkpoints=CheckpointPolicy(3))
    assert not (tmp_path / "tensorboard").exists()
    train([tiny_run()], [tmp_path], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True, resume=True)
    assert scalars_of(tmp_path) == scalars_in_lines(tmp_path)


@pytest.mark.slow
def test_other_files_in_the_folder_are_not_touched(tiny_run, tmp_path, at_step, scalars_of):
    at_step(8, crash)
    with pytest.raises(ConnectionError):
        train([tiny_run()], [tmp_path], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True)
    (tmp_path / "tensorboard/notes.txt").write_text("precious")
    train([tiny_run()], [tmp_path], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True, resume=True)
    assert (tmp_path / "tensorboard/notes.txt").read_text() == "precious"
    assert scalars_of(tmp_path) == scalars_in_lines(tmp_path)


def test_times_are_the_runs_own(tiny_run, tmp_path, reader_of):
    """Seconds of training after the moment when the first process began."""
    train([tiny_run()], [tmp_path], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True)
    events = reader_of(tmp_path).Reload()
    started = datetime.fromisoformat(read_json(tmp_path / "env.json")["started"]).timestamp()
    expected = [started + line["seconds"] for line in read_lines(tmp_path / "metrics.jsonl")]
    assert [event.wall_time for event in events.Scalars("lr")] == pytest.approx(expected, abs=1e-3)


def test_without_the_package_nothing_is_begun_and_the_remedy_is_named(tiny_run, tmp_path, monkeypatch):
    real = builtins.__import__

    def importing(name, *arguments, **named):
        if name.startswith(("tensorboard", "torch.utils.tensorboard")):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(UserError, match=r"pip install 'vitlab\[tensorboard\]'"):
        train([tiny_run()], [tmp_path / "run"], overrides=OVERRIDES, checkpoints=SAVING, tensorboard=True)
    assert not (tmp_path / "run").exists()
    train(
        [tiny_run(steps=1)], [tmp_path / "run"], overrides=OVERRIDES, checkpoints=CheckpointPolicy()
    )  # which needs no such package
