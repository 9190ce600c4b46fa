"""vitlab's own checkpoints: safetensors and JSON, no pickle.

    checkpoint/step-00000300/model.safetensors      the model's weights that are evaluated, by parameter name
                             task.safetensors       the same of the task, where it has parameters of its own
                             training.safetensors   optimiser slots, raw weights beside a moving average
                             meta.json              `vitlab.records.checkpoint`
    checkpoint/best-00000200/                       the same, of the best step on validation

A checkpoint is written into a hidden folder, flushed to the disk, and renamed: it is there whole or not at all.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vitlab.base.errors import CheckpointError, DataError, OtherVersion
from vitlab.base.files import json_text, open_file, sync_folder
from vitlab.checkpoints.hub import absent
from vitlab.records.checkpoint import CHECKPOINTS, OTHERS, CheckpointMeta
from vitlab.records.run import RunDeclaration

_NUMBERED = re.compile(r"(step|best)-\d{8,18}", re.ASCII)
_FILES = ("model.safetensors", "task.safetensors", "training.safetensors")
KEPT = 2  # how many of the latest checkpoints stay on the disk


@dataclass(frozen=True)
class Tensors:
    """What a checkpoint holds by name: weights that are evaluated, of the model and of its task, and all that the
    training needs besides.
    """

    model: Mapping[str, Tensor]
    task: Mapping[str, Tensor] = field(default_factory=dict)
    training: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """What stands in a checkpoint's `folder`."""

    folder: Path
    tensors: Tensors
    meta: CheckpointMeta

    @property
    def step(self) -> int:
        """The steps taken when it was written."""
        return self.meta.step


def save(folder: Path, kind: str, tensors: Tensors, meta: CheckpointMeta) -> Path:
    """Write a checkpoint of `kind` "step" or "best", whole. Raises CheckpointError if the disk does not take it."""
    name = f"{kind}-{meta.step:08d}"
    final, temporary = folder / name, folder / f".{name}.tmp"
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        _write(temporary / "model.safetensors", tensors.model)
        if tensors.task:
            _write(temporary / "task.safetensors", tensors.task)
        _write(temporary / "training.safetensors", tensors.training)
        checksums = {file.name: checksum(file) for file in sorted(temporary.iterdir())}
        summed = replace(meta, checksums=checksums)
        replace(summed, checksum=_digest(json_text(summed.values(), meta.schema))).write(temporary)
        _replace(temporary, final)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise CheckpointError(f"cannot write {final}: {error}; {told_latest(folder)}") from error
    return final


def _write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _replace(temporary: Path, final: Path) -> None:
    sync_folder(temporary)
    if final.exists():  # a resumed run writes again what it wrote before it was killed
        remove(final)
    temporary.rename(final)
    sync_folder(final.parent)


def checksum(path: Path) -> str:
    """A hash of the file's bytes."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _digest(meta: str) -> str:
    """A hash of the text of a meta.json that has none yet."""
    return hashlib.blake2b(meta.encode(), digest_size=16).hexdigest()


def weights_of(path: Path) -> Path:
    """The file of the weights at a user's path: a run directory or a checkpoint folder."""
    if not path.exists():
        raise CheckpointError(absent(str(path)))
    return checkpoint_at(path) / "model.safetensors"


def complete(folder: Path, kind: str = "step") -> list[Path]:
    """The complete checkpoints of a run, oldest first; `kind` is "step" or "best". What is called otherwise, or is
    empty, is none of ours: they come into place whole.
    """
    ours = [path for path in folder.glob(f"{kind}-*") if _NUMBERED.fullmatch(path.name) and _holds_files(path)]
    return sorted(ours, key=step_of)


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is not None


def latest(folder: Path) -> Path | None:
    """The newest complete checkpoint, or None."""
    steps = complete(folder)
    return steps[-1] if steps else None


def told_latest(folder: Path) -> str:
    """The newest complete checkpoint as a message says it."""
    kept = latest(folder)
    return f"the last complete checkpoint is {kept}" if kept else "there is no earlier checkpoint"


def best(folder: Path) -> Path | None:
    """The checkpoint that was best on validation, or None."""
    steps = complete(folder, "best")
    return steps[-1] if steps else None


def prune(folder: Path) -> None:
    """Keep the latest checkpoints and the best one; remove the rest and what a killed process left half written.

    A resume from the oldest checkpoint that is kept needs the one that was best until then, so that stays too.
    """
    steps = complete(folder)
    oldest = step_of(steps[-KEPT:][0]) if steps else -1
    past = [best for best in complete(folder, "best") if step_of(best) <= oldest]
    for old in (*steps[:-KEPT], *past[:-1]):
        remove(old)
    for half in folder.glob(".*.tmp"):
        shutil.rmtree(half)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint folder. Raises CheckpointError if it is damaged, naming the previous one if there is one."""
    try:
        if not CheckpointMeta.exists(path):
            raise CheckpointError(f"it has no {CheckpointMeta.file}")
        meta = CheckpointMeta.read(path)
        if meta.checksum != _digest((path / meta.file).read_text(encoding="utf-8").replace(meta.checksum, "", 1)):
            raise CheckpointError("meta.json has changed since it was written")
        if not {"model.safetensors"} <= meta.checksums.keys() <= set(_FILES):
            raise CheckpointError("meta.json does not name its files")
        for name, expected in meta.checksums.items():
            if checksum(path / name) != expected:
                raise CheckpointError(f"{name} has changed since it was written")
        parts = {name.partition(".")[0]: load_file(path / name) for name in _FILES if name in meta.checksums}
        return Checkpoint(path, Tensors(**parts), meta)
    except OtherVersion as error:
        raise CheckpointError(f"checkpoint {path} cannot be used: {error}") from error
    except (OSError, SafetensorError, TypeError, DataError, CheckpointError) as error:
        said = f"{error}".removeprefix(f"{path / 'meta.json'} is damaged: ")
        named = f"meta.json: {said}" if said != str(error) else said
        raise CheckpointError(f"checkpoint {path} is damaged: {named}; {_offer(path)}") from error


def _offer(path: Path) -> str:
    earlier = [other for other in complete(path.parent) if other != path and step_of(other) <= step_of(path)]
    if not earlier:
        return "there is no earlier checkpoint"
    return f"delete {path.name} and resume to continue from the previous checkpoint, {earlier[-1].name}"


def step_of(path: Path) -> int:
    """The step in a checkpoint folder's name."""
    return int(path.name.rpartition("-")[2])


def remove(path: Path) -> None:
    """Delete a checkpoint folder: hidden first, so that a half deleted one is never taken for a checkpoint."""
    hidden = path.with_name(f".{path.name}.old.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    path.rename(hidden)
    shutil.rmtree(hidden)


def is_ours(path: Path) -> bool:
    """Whether a run or a checkpoint of ours stands at a path, or nothing: not what somebody else has written."""
    if not path.exists():  # nor the part of a file, or what a hub has
        return not {"#", ":"} & set(str(path))
    if (path / CHECKPOINTS).is_dir() or CheckpointMeta.exists(path) or RunDeclaration.exists(path):
        return True
    return path.is_dir() and not any(file.suffix in OTHERS for file in path.iterdir())


def check_empty(out: Path) -> None:
    """Refuse a folder to write that has something in it, or is none. Raises CheckpointError."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(f"{out} is not empty: name another folder")


def checkpoint_at(path: Path) -> Path:
    """The checkpoint folder that a user's path means: itself, or the best or latest of a run directory.

    Raises CheckpointError if there is none.
    """
    if (path / "meta.json").exists():
        return path
    kept = best(path / CHECKPOINTS) or latest(path / CHECKPOINTS)
    if kept is None:
        if RunDeclaration.exists(path):
            raise CheckpointError(f"{path} holds no checkpoint yet")
        if not path.exists():
            raise CheckpointError(absent(str(path), "; is it a run directory?"))
        raise CheckpointError(f"{path} holds no checkpoint; is it a run directory?")
    return kept


def load_at(path: Path) -> Checkpoint:
    """The checkpoint at a user's path, as `checkpoint_at` finds it. Raises CheckpointError, also for another run's."""
    checkpoint, run = load(checkpoint_at(path)), RunDeclaration.read_if_there(path)
    if run is not None:
        check_run(checkpoint, run.id, path)
    return checkpoint


def check_run(checkpoint: Checkpoint, run_id: str, path: Path) -> None:
    """Raise CheckpointError if a checkpoint that was found in the run at `path` is another run's."""
    if checkpoint.meta.run not in ("", run_id):
        raise CheckpointError(f"the checkpoint of step {checkpoint.step} in {path} was written by another run")
