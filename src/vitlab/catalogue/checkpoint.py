"""A checkpoint that is no run: which model it is of, where its weights came from, what pictures go through before."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vitlab.base.differences import differences
from vitlab.base.spec import to_dict
from vitlab.base.words import some
from vitlab.checkpoints.trained import Trained, load
from vitlab.models.cost import cost
from vitlab.models.spec import ViTSpec


class Checkpoint(NamedTuple):
    """What is known of a checkpoint. `differs` are the model's settings that are not the defaults."""

    facts: dict[str, str]
    differs: dict[str, Any]
    model: dict[str, Any]
    preprocessing: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return self._asdict()


def about(path: str, model: str, settings: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint at a path or on the hub, ours or somebody else's, of which a preset's name and settings may tell
    what its tensors do not. Raises CheckpointError for what cannot be read.
    """
    trained = load(path, model, settings)
    spec, before = to_dict(trained.model.spec), to_dict(trained.preprocessing)
    return Checkpoint(dict(_facts(trained)), differences(to_dict(ViTSpec()), spec), spec, before)


def _facts(trained: Trained) -> Iterator[tuple[str, str]]:
    spec, names = trained.model.spec, trained.model.class_names
    spent = cost(spec)
    yield "model", spec.told()
    yield "size", f"{spent.num_params:,} parameters, {spent.flops:,} FLOPs an image"
    yield "classes", f"{len(names):,}: {some(names)}" if names else "none: it gives features"
    yield "pictures", trained.preprocessing.told(spec.img_size)
    if trained.data is not None:
        yield "trained on", trained.data.name
    if trained.notes:
        yield "weights", "; ".join(trained.notes)
