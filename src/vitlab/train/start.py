"""Where R runs start: from the latest checkpoint of their own, or from weights that they are given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints import native
from vitlab.train.folder import RunFolder
from vitlab.train.state import TrainState


def restore(folders: Sequence[RunFolder], state: TrainState) -> list[dict[str, Any]] | None:
    """Load the latest checkpoint that all runs have into `state`; each run's meta, or None if there is none yet."""
    names = [{path.name for path in native.complete(folder.checkpoints)} for folder in folders]
    common = sorted(set.intersection(*names))
    if not common:
        for folder in folders:
            folder.forget_after(-1)
        return None
    metas = []
    for run, folder in enumerate(folders):
        checkpoint = native.load(folder.checkpoints / common[-1])
        restore_run(state, run, checkpoint)
        folder.forget_after(checkpoint.step)
        metas.append(checkpoint.meta)
    return metas


def restore_run(state: TrainState, run: int, checkpoint: native.Checkpoint) -> None:
    """Load one checkpoint into row `run` of `state`."""
    try:
        state.restore(run, checkpoint.model, checkpoint.training, checkpoint.step)
    except (KeyError, RuntimeError) as error:
        raise CheckpointError(f"the checkpoint is of another model: {error}") from error


def start_from(state: TrainState, source: Path) -> None:
    """Start every run from the weights at `source`: a run directory, a checkpoint folder, or a file of tensors.

    Raises CheckpointError naming what does not fit.
    """
    tensors = native.read_model(source)
    mine = state.evaluated(0)
    problems = {
        "missing": mine.keys() - tensors.keys(),
        "unknown": tensors.keys() - mine.keys(),
        "of another shape": {n for n in mine.keys() & tensors.keys() if mine[n].shape != tensors[n].shape},
    }
    found = [f"{what}: {', '.join(sorted(names)[:3])}" for what, names in problems.items() if names]
    if found:
        raise CheckpointError(f"--init {source} does not fit this model; {'; '.join(found)}")
    for run in range(state.weights.runs):
        state.begin_with(run, tensors)
