"""What every look begins with: images that a model can be asked about, and of which class."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from vitlab.base.errors import SpecError, UserError
from vitlab.models.vit import ViT


def check_images(model: ViT, images: Tensor) -> None:
    """Refuse what is no batch of at least one image [B, C, height, width] of the model's. Raises SpecError."""
    check_not_compiled(model)
    model.check(images)
    if not len(images):
        raise SpecError("no images were given")


def check_not_compiled(model: nn.Module) -> None:
    """Refuse a model that runs code of its own, in which nothing can be seen. Raises SpecError."""
    if any(
        getattr(module, "_compiled_call_impl", None) is not None or hasattr(module, "_orig_mod")
        for module in model.modules()
    ):
        raise SpecError("a compiled model runs code of its own, in which nothing can be seen: use it uncompiled")


def check_classes(model: ViT, what: str) -> None:
    """Refuse a model that gives features, which are no classes. Raises UserError."""
    if not model.spec.num_classes:
        raise UserError(f"num_classes=0: a model without a head has no classes, so there is no {what}")


def check_numbers(name: str, chosen: Sequence[int], count: int) -> None:
    """Refuse a choice of what is not there; -1 is the last. Raises SpecError."""
    if not len(chosen):
        raise SpecError(f"{name}=[]: which of {count}?")
    if beyond := [each for each in chosen if not -count <= each < count]:
        raise SpecError(f"{name}={list(chosen)}: there are {count}, and no {beyond[0]}")


def chosen_classes(logits: Tensor, classes: Sequence[int] | Tensor | None) -> Tensor:
    """[B, Y] -> [B] int64: one class an image, of the likeliest where none are given. Raises SpecError."""
    if classes is None:
        return logits.argmax(-1)
    chosen = torch.as_tensor(classes, dtype=torch.int64, device=logits.device)
    if chosen.shape != logits.shape[:1] or ((chosen < 0) | (chosen >= logits.shape[1])).any():
        told = f"{len(logits)} numbers below {logits.shape[1]}, a class for each image"
        raise SpecError(f"classes={chosen.tolist()}: expected {told}")
    return chosen
