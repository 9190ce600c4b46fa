"""A resumed stack: it goes on from the latest checkpoint that all its runs have."""

from collections.abc import Sequence
from pathlib import Path

from vitlab.base.errors import CheckpointError
from vitlab.base.identity import spec_id
from vitlab.checkpoints import native
from vitlab.learner import together
from vitlab.records.checkpoint import CheckpointMeta
from vitlab.train.run_dir.run_dir import RunDir
from vitlab.train.step.state import TrainState


def restore(run_dirs: Sequence[RunDir], state: TrainState) -> list[CheckpointMeta] | None:
    """Load the latest checkpoint that all runs have into `state`; each run's meta, or None if there is none yet."""
    names = [{path.name for path in native.complete(run_dir.checkpoints)} for run_dir in run_dirs]
    common = sorted(set.intersection(*names), key=lambda name: native.step_of(Path(name)))
    if not common:
        for run_dir in run_dirs:
            run_dir.forget_after(-1)
        return None
    metas = []
    for row, run_dir in enumerate(run_dirs):
        checkpoint = native.load(run_dir.checkpoints / common[-1])
        native.check_run(checkpoint, spec_id(run_dir.spec), run_dir.path)
        _restore_run(state, row, checkpoint)
        run_dir.forget_after(checkpoint.step)
        metas.append(checkpoint.meta)
    return metas


def _restore_run(state: TrainState, row: int, checkpoint: native.Checkpoint) -> None:
    """Load one checkpoint into a row of `state`."""
    tensors = checkpoint.tensors
    try:
        state.restore(row, together(tensors.model, tensors.task), tensors.training, checkpoint.step)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint is of another model: {error}") from error
