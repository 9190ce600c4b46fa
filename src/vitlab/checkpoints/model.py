"""A trained model from a run directory or a checkpoint folder, with what a picture goes through before it."""

from dataclasses import dataclass
from pathlib import Path

from vitlab.augment.ops._base import OpSpec
from vitlab.base.errors import CheckpointError
from vitlab.base.spec import from_dict
from vitlab.checkpoints import native
from vitlab.data.decode import Fit
from vitlab.models.vit import ViT, ViTSpec


@dataclass(frozen=True)
class Preprocessing:
    """What a picture goes through before the model, and what the model's answers are called.

    It is decoded to `img_size` (rows, columns), as `fit` says; goes through `ops`; and is normalised with the mean and
    standard deviation of each channel, of values between 0 and 1.
    """

    img_size: tuple[int, int]
    fit: Fit
    ops: tuple[OpSpec, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]


def load(path: Path) -> tuple[ViT, Preprocessing]:
    """The model at `path` (a run directory: its best or latest checkpoint), in float32 on the CPU.

    Raises CheckpointError if there is none or it is damaged.
    """
    found = native.find(path)
    checkpoint = native.load(found)
    model = ViT(from_dict(ViTSpec, checkpoint.meta["model"]))
    try:
        model.load_state_dict(checkpoint.model)
    except RuntimeError as error:
        raise CheckpointError(f"{found} does not fit its own spec: {error}") from error
    before = checkpoint.meta["preprocessing"]
    rows, columns = before["img_size"]
    return model, Preprocessing(
        img_size=(rows, columns),
        fit=before.get("fit", "crop"),
        ops=tuple(from_dict(OpSpec, op) for op in before.get("ops", ())),
        mean=tuple(before["mean"]),
        std=tuple(before["std"]),
        class_names=tuple(before["class_names"]),
    )
