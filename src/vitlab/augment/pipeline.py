"""From raw pixels and labels to what a model is trained on: the operations in their order, around normalisation."""

import typing
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from vitlab.augment.ops._base import BatchOp, NormalisedOp, OpSpec, PixelOp, Stage
from vitlab.base.errors import SpecError
from vitlab.rng import subkeys

_STAGES: tuple[Stage, ...] = typing.get_args(Stage)


def check_order(ops: tuple[OpSpec, ...]) -> None:
    """Refuse operations that are not in the order of their stages."""
    for earlier, later in pairwise(ops):
        if _STAGES.index(later.stage) < _STAGES.index(earlier.stage):
            raise SpecError(
                f"augment: {later.name} works on {later.stage} and cannot follow {earlier.name}, "
                f"which works on {earlier.stage}; the order is {', '.join(_STAGES)}"
            )


@cache
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """On the device once: to copy it there for every batch would make the host wait."""
    return torch.tensor(values, dtype=dtype, device=device)


@dataclass(frozen=True)
class Pipeline:
    """The whole augmentation. Without operations it normalises and makes one-hot targets, as evaluation wants it.

    It computes in float32, or in float64 if `dtype` is that; the images come out in `dtype`.
    """

    ops: tuple[OpSpec, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    num_classes: int
    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        """Refuse operations in the wrong order."""
        check_order(self.ops)

    def __call__(self, pixels: Tensor, labels: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """pixels [R, B, C, H, W] uint8, labels [R, B], keys [R, B] -> images [R, B, C, H, W], targets [R, B, Y]"""
        # the place is part of the key: an operation that stands twice in the pipeline draws anew
        keyed = [(op, subkeys(keys, str(place))) for place, op in enumerate(self.ops)]
        images = pixels.flatten(0, 1)
        for op, op_keys in keyed:
            if isinstance(op, PixelOp):
                images = op.apply(images, op_keys.flatten())
        images = self.normalise(images)
        for op, op_keys in keyed:
            if isinstance(op, NormalisedOp):
                images = op.apply(images, op_keys.flatten(), *self._statistics(images))
        images, targets = images.unflatten(0, labels.shape), self.one_hot(labels)
        for op, op_keys in keyed:
            if isinstance(op, BatchOp):
                images, targets = op.apply(images, targets, op_keys)
        return images.to(self.dtype), targets

    def normalise(self, pixels: Tensor) -> Tensor:
        """[..., C, H, W] uint8 -> (pixels / 255 - mean) / std, in floating point"""
        images = pixels.to(torch.promote_types(self.dtype, torch.float32))
        mean, std = self._statistics(images)
        return images.mul_((1 / (255 * std))[:, None, None]).sub_((mean / std)[:, None, None])

    def one_hot(self, labels: Tensor) -> Tensor:
        """[...] -> [..., Y], 0 or 1, in floating point"""
        hits = labels[..., None] == torch.arange(self.num_classes, device=labels.device)
        return hits.to(torch.promote_types(self.dtype, torch.float32))

    def _statistics(self, images: Tensor) -> tuple[Tensor, Tensor]:
        mean, std = (_constant(values, images.dtype, images.device) for values in (self.mean, self.std))
        return mean, std
