"""What every look begins with: images that a model can be asked about, and of which class."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.models.vit import ViT


def check_images(model: ViT, images: Tensor) -> None:
    """Refuse what is no batch of at least one image [B, C, height, width] of the model's. Raises SpecError."""
    model.check(images)
    if not len(images):
        raise SpecError("no images were given")


def chosen_classes(logits: Tensor, classes: Sequence[int] | Tensor | None) -> Tensor:
    """[B, Y] -> [B] int64: one class an image, of the likeliest where none are given. Raises SpecError."""
    if classes is None:
        return logits.argmax(-1)
    chosen = torch.as_tensor(classes, dtype=torch.int64, device=logits.device)
    if chosen.shape != logits.shape[:1] or ((chosen < 0) | (chosen >= logits.shape[1])).any():
        told = f"{len(logits)} numbers below {logits.shape[1]}, a class for each image"
        raise SpecError(f"classes={chosen.tolist()}: expected {told}")
    return chosen
