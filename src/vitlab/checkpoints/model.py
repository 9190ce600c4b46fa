"""A trained model from a run directory or a checkpoint folder, with what a picture goes through before it."""

from dataclasses import dataclass
from pathlib import Path

from vitlab.base.errors import CheckpointError
from vitlab.base.spec import from_dict
from vitlab.checkpoints import native
from vitlab.data.decode import Fit
from vitlab.models.vit import ViT, ViTSpec


@dataclass(frozen=True)
class Preprocessing:
    """Size in pixels, mean and standard deviation of each channel (of values between 0 and 1), names of the classes.

    `fit` is how a picture of another size is brought to this one.
    """

    img_size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    class_names: tuple[str, ...]
    fit: Fit = "crop"


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
    mean, std, names = (tuple(before[key]) for key in ("mean", "std", "class_names"))
    return model, Preprocessing((rows, columns), mean, std, names, before.get("fit", "crop"))
