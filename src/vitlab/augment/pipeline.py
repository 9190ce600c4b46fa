"""The pipeline of a batch, from raw pixels and labels to what a model sees: operations, around normalisation."""

import typing
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from vitlab.augment.ops._base import BatchOp, NormalisedOp, OpSpec, Pair, PixelOp, Stage, StoredOp
from vitlab.augment.stored import Cuts
from vitlab.base.errors import SpecError
from vitlab.rng import subkeys

_STAGES: tuple[Stage, ...] = typing.get_args(Stage)


def check_ops(ops: tuple[OpSpec, ...], channels: int) -> None:
    """Refuse operations that are not in the order of their stages, a second crop of the picture as it is stored, and
    what images of so many channels cannot go through.
    """
    for earlier, later in pairwise(ops):
        if _STAGES.index(later.stage) < _STAGES.index(earlier.stage):
            raise SpecError(
                f"augment: {later.name} works on {later.stage} and cannot follow {earlier.name}, "
                f"which works on {earlier.stage}; the order is {', '.join(_STAGES)}"
            )
    if len(ops) > 1 and isinstance(ops[1], StoredOp):
        raise SpecError(f"augment: {ops[0].name} and {ops[1].name}: a picture is cropped once while it is decoded")
    for op in ops:
        op.check_channels(channels)


def final_size(ops: tuple[OpSpec, ...], size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of what comes out of `ops` for pictures of `size`."""
    for op in ops:
        if isinstance(op, PixelOp):
            size = op.out_size(*size)
    return size


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
        """Refuse operations in the wrong order, or that need other channels."""
        check_ops(self.ops, len(self.mean))

    def __call__(
        self, pixels: Tensor, labels: Tensor, keys: Tensor, rows: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """pixels [R, n, C, H, W] uint8, labels [R, n] -> images [R, b, C, H, W], targets [R, b, Y]

        `keys` [R, B] are those of the whole global batch. `rows` [R, n] says which of its samples are given, as
        `needed` named them; without it all of them are, and n = b = B. Where there is a crop of the picture as it is
        stored, these are the crops: `cuts`.
        """
        # the place is part of the key: an operation that stands twice in the pipeline draws anew
        keyed = [(op, subkeys(keys, str(place))) for place, op in enumerate(self.ops)]
        images = pixels.flatten(0, 1)
        for op, op_keys in keyed:
            if isinstance(op, PixelOp) and not isinstance(op, StoredOp):
                images = op.apply(images, _of(rows, op_keys).flatten())
        images = self.normalise(images)
        for op, op_keys in keyed:
            if isinstance(op, NormalisedOp):
                images = op.apply(images, _of(rows, op_keys).flatten(), *self._statistics(images))
        images, targets = images.unflatten(0, labels.shape), self.one_hot(labels)
        for op, op_keys in keyed:
            if isinstance(op, BatchOp):
                images, targets, rows = _mixed(op, images, targets, op_keys, rows)
        return images.to(self.dtype), targets

    def prepared(self, pictures: Tensor) -> Tensor:
        """[n, C, H, W] uint8 -> images [n, C, height, width], where nothing is random."""
        nothing = torch.zeros(1, len(pictures), dtype=torch.int64, device=pictures.device)
        return self(pictures[None], nothing, nothing)[0][0]

    def cuts(self, keys: Tensor) -> Cuts | None:
        """keys [...] -> what each sample's picture, as it is stored, is to be cropped to; None: it is not cropped."""
        if not (self.ops and isinstance(self.ops[0], StoredOp)):
            return None
        return Cuts(self.ops[0], self.ops[0].draws(subkeys(keys, "0")))

    def needed(self, keys: Tensor, part: slice) -> Tensor | None:
        """keys [R, B] of a global batch -> [R, n]: the samples that its `part` is made of; None: all, as they are.

        They are the part's own, then the partners that they are mixed with, then the partners of all these …
        """
        runs, size = keys.shape
        if part == slice(0, size):
            return None
        rows = torch.arange(size, device=keys.device)[part].expand(runs, -1)
        for place, op in reversed(list(enumerate(self.ops))):
            if isinstance(op, BatchOp):
                rows = torch.cat([rows, op.partners(subkeys(keys, str(place))).gather(1, rows)], dim=1)
        return rows

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


def _of(rows: Tensor | None, keys: Tensor) -> Tensor:
    """The keys [R, B] of a batch -> those of the given rows [R, n]."""
    return keys if rows is None else keys.gather(1, rows)


def _mixed(
    op: BatchOp, images: Tensor, targets: Tensor, keys: Tensor, rows: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """One operation between samples: images, targets, and which rows of the batch are left."""
    partners = op.partners(keys) if rows is None else None
    left = None if rows is None else rows.chunk(2, dim=1)[0]
    images, targets = op.apply(_pair(images, partners), _pair(targets, partners), _of(left, keys), keys[:, :1])
    return images, targets, left


def _pair(own_batch: Tensor, partners: Tensor | None) -> Pair:
    """Samples [R, n, …] with their partners: others of the n, or else the second half of them."""
    if partners is None:
        own, other = own_batch.chunk(2, dim=1)
        return Pair(own, other)
    return Pair(own_batch, own_batch[torch.arange(len(own_batch), device=own_batch.device)[:, None], partners])
