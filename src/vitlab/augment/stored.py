"""Crops of pictures as they are stored: drawn by key for a whole batch, cut by whoever has a picture's pixels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitlab.augment.ops._base import StoredOp


@dataclass(frozen=True)
class Cuts:
    """The crops of samples [...]: `draws` [..., n] is all that is random about them."""

    op: StoredOp
    draws: Tensor

    def gather(self, rows: Tensor) -> "Cuts":
        """Of samples [R, B], the `rows` [R, n] of each run."""
        return Cuts(self.op, self.draws.gather(1, rows[..., None].expand(-1, -1, self.draws.shape[-1])))

    def out_size(self, rows: int, columns: int) -> tuple[int, int]:
        """The size that they come out with; pictures that are not cropped are decoded to the given one."""
        return self.op.out_size(rows, columns)

    def one_by_one(self, rows: int, columns: int) -> "list[Cut]":
        """Each by itself, in order."""
        size = self.out_size(rows, columns)
        return [Cut(self.op, draws, size) for draws in self.draws.flatten(0, -2).cpu()]

    def apply(self, pixels: Tensor) -> Tensor:
        """Pictures in memory [..., C, H, W] uint8 -> their crops [..., C, *out_size(H, W)] uint8"""
        cropped = self.op.cropped(pixels.flatten(0, -4), self.draws.flatten(0, -2))
        return cropped.unflatten(0, pixels.shape[:-3])


@dataclass(frozen=True)
class Cut:
    """The crop of one sample, drawn [n]; it comes out with `size`."""

    op: StoredOp
    draws: Tensor
    size: tuple[int, int]

    def box(self, rows: int, columns: int) -> tuple[int, int, int, int]:
        """Top, left, height and width in a picture of that size."""
        top, left, height, width = self.op.boxes(self.draws[None], rows, columns)[0].tolist()
        return top, left, height, width

    def resized(self, box: Tensor) -> Tensor:
        """The pixels of a box [C, h, w] uint8 -> [C, *size] uint8"""
        whole = torch.tensor([[0, 0, *box.shape[1:]]])
        return self.op.resized(box[None], whole, self.size)[0]
