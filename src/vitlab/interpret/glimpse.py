"""A glimpse of what the parts of a trained model do, kept beside its run for the study's page."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.checkpoints.trained import Trained, load
from vitlab.data.sets._base import DataSpec
from vitlab.interpret.attention import attention_maps, read_row
from vitlab.interpret.positions import position_similarity
from vitlab.models.vit import ViT
from vitlab.records.glimpse import FILE, Glimpse
from vitlab.records.outcome import Outcome


def keep_glimpses(study: Path, outcome: Outcome) -> None:
    """Have the first finished run of every cell keep a glimpse, where its weights and its data are still there."""
    pictures: dict[DataSpec, Tensor] = {}
    for cell in outcome.cells:
        run = next((study / run.folder for run in cell.runs if run.folder and run.status == "finished"), None)
        if run is None or (run / FILE).exists():
            continue
        try:
            trained = load(run)
            if trained.data is not None:
                if trained.data not in pictures:
                    pictures[trained.data] = first_picture(trained.data)
                glimpse(trained, pictures[trained.data]).write(run)
        except UserError:
            continue  # weights that were not kept, data that have moved: the page does without


def first_picture(data: DataSpec) -> Tensor:
    """The first picture of the test split, [C, H, W] uint8. Raises DataError where the data cannot be read."""
    return data.load_held_out().test.ask(torch.tensor([0]))()[0].cpu()


@torch.no_grad()
def glimpse(trained: Trained, pixels: Tensor) -> Glimpse:
    """What a model makes of one picture of the test split, [C, H, W] uint8."""
    model = trained.model
    images = trained.preprocessing.pipeline(len(trained.preprocessing.class_names)).prepared(pixels[None])
    shown = pixels[: 3 if len(pixels) >= 3 else 1].movedim(0, -1)
    return Glimpse("test", shown.numpy(), _numbers(_attention(model, images)), _numbers(_positions(model)))


def _attention(model: ViT, images: Tensor) -> Tensor | None:
    """[rows, columns]: how the token that the head reads attends to the patches, or all patches on average."""
    try:
        return read_row(model, attention_maps(model, images, layers=[-1])[0, 0].mean(0))
    except UserError:  # a mixer without attention
        return None


def _positions(model: ViT) -> Tensor | None:
    """[rows, columns]: how alike the position of every patch is to the central one's."""
    alike, (rows, columns) = position_similarity(model), model.spec.dims().grid
    return None if alike is None else alike[rows // 2 * columns + columns // 2].unflatten(0, (rows, columns))


def _numbers(grid: Tensor | None) -> np.ndarray | None:
    return None if grid is None else grid.float().numpy()
