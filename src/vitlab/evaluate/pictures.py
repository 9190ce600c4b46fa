"""What a trained model says of picture files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.checkpoints.model import Preprocessing
from vitlab.data.decode import SUFFIXES, Frame, Unreadable, decode
from vitlab.models.vit import ViT
from vitlab.tasks._base import TaskSpec


@dataclass(frozen=True)
class Prediction:
    """A picture's most probable classes, the first first."""

    path: Path
    classes: tuple[tuple[str, float], ...]


def find(paths: Sequence[Path]) -> list[Path]:
    """The picture files at `paths`, folders searched through and through. Raises DataError if there is none."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{path} does not exist")
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        found += inside
    if not found:
        raise DataError(f"no picture in {', '.join(map(str, paths))}; looked for {', '.join(sorted(SUFFIXES))}")
    return found


def read(path: Path, channels: int, preprocessing: Preprocessing) -> Tensor:
    """A picture as it would have been trained on, normalised: [C, H, W]. Raises DataError if it is unreadable."""
    try:
        pixels = decode(path, Frame(preprocessing.img_size, channels, preprocessing.fit))
    except Unreadable as error:
        raise DataError(f"{path} is not a readable picture: {error}") from None
    mean, std = torch.tensor(preprocessing.mean), torch.tensor(preprocessing.std)
    return (pixels / 255 - mean[:, None, None]) / std[:, None, None]


@torch.no_grad()
def predict(
    model: ViT, preprocessing: Preprocessing, task: TaskSpec, paths: Sequence[Path], top: int = 5
) -> Iterator[Prediction]:
    """The `top` classes of every picture, as sure as the task says that the model is."""
    names = preprocessing.class_names
    for path in paths:
        image = read(path, model.spec.in_chans, preprocessing)
        probabilities = task.probabilities(model(image[None]))[0]
        best = probabilities.topk(min(top, len(names)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        yield Prediction(path, tuple((names[index], value) for index, value in pairs))
