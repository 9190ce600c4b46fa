"""Our own checkpoints: whole or not at all, and what is damaged is said to be."""

import errno
import random

import pytest
import torch

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints import native
from vitlab.records.checkpoint import CheckpointMeta

MODEL = {"head.weight": torch.arange(6.0).view(2, 3), "norm.bias": torch.zeros(3, dtype=torch.bfloat16)}
TRAINING = {"exp_avg.head.weight": torch.ones(2, 3, dtype=torch.float64)}
TASK = {"decoder.weight": torch.full((2, 2), 0.5)}
PROGRESS = {"seconds": 0.1, "best": {"step": 3, "val_top1": 1 / 3}, "names": ["a", "ü"]}


def meta(step, **more):
    return CheckpointMeta(step, model={}, task={"name": "classify"}, preprocessing={}, **more)


def write(folder, step, kind="step"):
    return native.save(folder, kind, native.Tensors(MODEL, TASK, TRAINING), meta(step, progress=PROGRESS))


def test_there_and_back(tmp_path):
    checkpoint = native.load(write(tmp_path, 7))
    assert checkpoint.step == 7
    assert checkpoint.meta.progress == PROGRESS
    tensors = checkpoint.tensors
    for mine, theirs in ((MODEL, tensors.model), (TASK, tensors.task), (TRAINING, tensors.training)):
        assert mine.keys() == theirs.keys()
        for name in mine:
            torch.testing.assert_close(mine[name], theirs[name], rtol=0, atol=0)


def test_views_of_larger_tensors_are_written_alone(tmp_path):
    """Weights are views of flat memory; a checkpoint holds their values and no more."""
    flat = torch.arange(12.0).view(2, 6)
    views = native.Tensors({"a": flat[1, :4].view(2, 2), "b": flat[0].view(2, 3).T})
    path = native.save(tmp_path, "step", views, meta(1))
    model = native.load(path).tensors.model
    assert [file.name for file in sorted(path.glob("*.safetensors"))] == ["model.safetensors", "training.safetensors"]
    assert model["a"].tolist() == [[6, 7], [8, 9]]
    assert model["b"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_the_last_two_and_the_best_are_kept(tmp_path):
    for step in (2, 4, 6, 8):
        write(tmp_path, step)
        if step in (2, 6):
            write(tmp_path, step, "best")
        native.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best-00000006", "step-00000006", "step-00000008"]


def test_the_best_of_the_oldest_kept_checkpoint_s_past_stays(tmp_path):
    """A resume from step 4 must find the best until then, though a better one came later."""
    for kind, step in (("step", 2), ("best", 3), ("step", 4), ("best", 5), ("step", 6), ("best", 7)):
        write(tmp_path, step, kind)
        native.prune(tmp_path)
    assert [native.step_of(path) for path in native.complete(tmp_path, "best")] == [3, 5, 7]
    assert native.step_of(native.best(tmp_path)) == 7


def test_steps_are_ordered_as_numbers(tmp_path):
    for step in (99_999_999, 5, 1_000):
        write(tmp_path, step)
    assert [native.step_of(path) for path in native.complete(tmp_path)] == [5, 1_000, 99_999_999]


def test_what_a_killed_process_left_is_swept_up_and_nothing_else(tmp_path):
    (tmp_path / ".step-00000005.tmp").mkdir()
    (tmp_path / ".step-00000005.tmp/model.safetensors").write_text("half")
    (tmp_path / ".DS_Store").write_text("a Mac's")
    write(tmp_path, 4)
    assert native.latest(tmp_path).name == "step-00000004"
    native.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".DS_Store", "step-00000004"]


def test_writing_again_replaces(tmp_path):
    write(tmp_path, 4)
    path = native.save(tmp_path, "step", native.Tensors({"other": torch.ones(1)}), meta(4))
    assert list(native.load(path).tensors.model) == ["other"]
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000004"]


@pytest.mark.parametrize("file", ["model.safetensors", "task.safetensors", "training.safetensors", "meta.json"])
@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed", "flipped"])
def test_damage_is_found_and_the_previous_one_offered(tmp_path, file, damage):
    write(tmp_path, 3)
    path = write(tmp_path, 6) / file
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[:-5])
    elif damage == "emptied":
        path.write_bytes(b"")
    elif damage == "removed":
        path.unlink()
    else:
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
    with pytest.raises(CheckpointError) as caught:
        native.load(tmp_path / "step-00000006")
    message = str(caught.value)
    assert "step-00000006 is damaged" in message
    assert "the previous checkpoint, step-00000003" in message
    assert native.load(tmp_path / "step-00000003").step == 3


def test_the_first_one_damaged_has_none_to_offer(tmp_path):
    path = write(tmp_path, 3)
    (path / "meta.json").write_text("{")
    with pytest.raises(CheckpointError, match="no earlier checkpoint"):
        native.load(path)


@pytest.mark.parametrize("file", ["model.safetensors", "task.safetensors", "training.safetensors", "meta.json"])
def test_any_flipped_bit_is_found(tmp_path, file):
    path = write(tmp_path, 6)
    data = (path / file).read_bytes()
    chosen = random.Random(0)
    for place in [*range(40), *(chosen.randrange(len(data)) for _ in range(200))]:
        flipped = bytearray(data)
        flipped[place] ^= 1 << chosen.randrange(8)
        (path / file).write_bytes(flipped)
        with pytest.raises(CheckpointError, match=r"damaged|cannot be used"):  # its schema is a number like others
            native.load(path)
    (path / file).write_bytes(data)
    native.load(path)


@pytest.mark.parametrize("when", ["model", "task", "training", "meta", "rename"])
def test_a_full_disk_leaves_the_last_complete_one(tmp_path, monkeypatch, when):
    write(tmp_path, 3)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    if when in ("model", "task", "training"):
        real = native.save_file

        def fills(tensors, path):
            if path.stem == when:
                path.write_bytes(b"half of it")
                full()
            real(tensors, path)

        monkeypatch.setattr(native, "save_file", fills)
    else:
        if when == "meta":
            monkeypatch.setattr(CheckpointMeta, "write", full)
        else:
            monkeypatch.setattr(native, "_replace", full)
    with pytest.raises(CheckpointError) as caught:
        write(tmp_path, 6)
    assert "No space left on device" in str(caught.value)
    assert f"the last complete checkpoint is {tmp_path / 'step-00000003'}" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000003"]
    assert native.load(tmp_path / "step-00000003").step == 3


def test_find_prefers_the_best(tmp_path):
    write(tmp_path / "checkpoint", 9)
    assert native.checkpoint_at(tmp_path).name == "step-00000009"
    write(tmp_path / "checkpoint", 4, "best")
    assert native.checkpoint_at(tmp_path).name == "best-00000004"
    assert native.checkpoint_at(tmp_path / "checkpoint/step-00000009").name == "step-00000009"


def test_a_folder_without_a_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        native.checkpoint_at(tmp_path)


def test_one_of_an_earlier_vitlab_is_not_called_damaged(tmp_path):
    path = write(tmp_path, 3)
    meta = (path / "meta.json").read_text().replace('"schema": 2', '"schema": 1')
    (path / "meta.json").write_text(meta)
    with pytest.raises(CheckpointError, match=r"step-00000003 cannot be used: \S+ is from an earlier vitlab: schema 1"):
        native.load(path)
