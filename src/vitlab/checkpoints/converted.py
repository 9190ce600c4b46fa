"""Somebody else's checkpoint, written as one of ours: a folder that every command takes where it takes a run."""

from pathlib import Path

from vitlab.base.spec import to_dict
from vitlab.checkpoints import native
from vitlab.checkpoints.published import Published
from vitlab.records.checkpoint import CHECKPOINTS, CheckpointMeta
from vitlab.tasks import classify


def write(found: Published, out: Path) -> Path:
    """The checkpoint's folder, inside of `out`, which must be empty or not there. Raises CheckpointError."""
    native.check_empty(out)
    meta = CheckpointMeta(
        step=0,
        model=to_dict(found.spec),
        task=to_dict(classify.Spec()),
        preprocessing=to_dict(found.preprocessing),
        origin=found.notes,
    )
    return native.save(out / CHECKPOINTS, "step", native.Tensors(found.tensors), meta)
