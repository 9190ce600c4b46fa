"""Pictures to augment, and one by one what torchvision makes of them."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vitlab.augment.policy import OPERATIONS


def pictures(samples: int, channels: int, rows: int, columns: int) -> Tensor:
    """[samples, channels, rows, columns] uint8: noise, soft blobs of few levels, and a last one of one level."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (samples, channels, rows, columns), generator=generator)
    low, width = torch.randint(0, 100, (2, samples, channels, 1, 1), generator=generator)
    blobs = interpolate(torch.rand(samples, channels, 3, 3, generator=generator), (rows, columns), mode="bilinear")
    mixed = torch.where(torch.arange(samples)[:, None, None, None] % 2 == 0, noise, low + blobs * (width + 1))
    mixed[-1] = 77
    return mixed.to(torch.uint8)


def one_by_one(operation: Callable[..., Tensor], images: Tensor, *parameters: Tensor) -> Tensor:
    """`operation(image, parameter, …)` of every image, with its own parameters as plain numbers."""
    values = [each.tolist() for each in parameters]
    return torch.stack([operation(image, *own) for image, *own in zip(images, *values, strict=True)])


def torchvision_steps(images: Tensor, code: Tensor, magnitude: Tensor, fill: int) -> Tensor:
    """What torchvision's policies make of images with the operations, [B], of ours, read to the nearest pixel."""
    transforms = pytest.importorskip("torchvision.transforms.v2")
    reference = transforms.RandAugment(fill=fill)

    def step(image: Tensor, code: float, magnitude: float) -> Tensor:
        operation = OPERATIONS[int(code)]
        unit = 255 if operation == "Solarize" else 1  # there it is a share, here a grey level
        how = (transforms.InterpolationMode.NEAREST, reference._fill)
        return reference._apply_image_or_video_transform(image, operation, magnitude / unit, *how)

    return one_by_one(step, images, code, magnitude)
