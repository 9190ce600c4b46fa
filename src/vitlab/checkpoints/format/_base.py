"""The contract of a format: a folder that others can run or load.

    write(model, out)   -> a line for the card: how the result is used
    loaded(out)         -> images [B, C, height, width] -> logits [B, Y], by what was written
    check(model, out)   -> the largest difference of these logits from the model's

What is not the same is no export: whoever writes one checks it before it is called done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.base.spec import Component
from vitlab.checkpoints.trained import EquippedViT
from vitlab.nn.kernel import use_kernel


@dataclass(frozen=True)
class FormatSpec(Component):
    """A format's settings. `title`: what messages call it."""

    family: ClassVar[str] = "vitlab.checkpoints.format"
    title: ClassVar[str]

    def write(self, model: EquippedViT, out: Path) -> str:
        """Write the model into a folder; how it is used. Raises CheckpointError where the format cannot hold it."""
        raise NotImplementedError

    def why_unlike(self, model: EquippedViT) -> str:
        """What may be why that is not what the model says, in a clause; empty if nothing is known."""
        return ""

    def loaded(self, out: Path) -> Callable[[Tensor], Tensor]:
        """What was written, ready to be run. Raises UserError where that takes what is not installed."""
        raise NotImplementedError

    @torch.no_grad()
    def check(self, model: EquippedViT, out: Path) -> float:
        """The largest difference of its logits from the model's, on random images."""
        images = some_images(model, 3, seed=1)
        return difference(self.loaded(out)(images), model, images)


def some_images(model: EquippedViT, count: int, seed: int = 0) -> Tensor:
    """Random images as a model takes them, [count, C, height, width], in its precision."""
    generator = torch.Generator().manual_seed(seed)
    like = next(model.parameters())
    return torch.randn(count, model.spec.in_chans, *model.spec.img_size, generator=generator).to(like.dtype)


@torch.no_grad()
def difference(said: Tensor, model: EquippedViT, images: Tensor) -> float:
    """The largest difference of somebody's logits [B, Y] from the model's."""
    return float((said.double() - model(images).double()).abs().max())


def recorded(model: EquippedViT) -> torch.export.ExportedProgram:
    """The model as a program of PyTorch's operators, for any number of images."""
    use_kernel(model, "fused")
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    return torch.export.export(model, (some_images(model, 2),), dynamic_shapes=({0: batch},))


def needed(package: str, extra: str) -> None:
    """Refuse what takes a package that is not installed. Raises UserError, saying how it is."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise UserError(f"this needs {package}: pip install 'vitlab[{extra}]'")
