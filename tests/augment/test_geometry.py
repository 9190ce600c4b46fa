import math

import pytest
import torch
from torch import Tensor

from tests.augment.pictures import one_by_one, pictures
from vitlab.augment import geometry

SIZES = [(16, 3, 32, 32), (8, 3, 40, 63), (8, 1, 33, 20), (4, 3, 224, 200)]
GENERATOR = torch.Generator().manual_seed(2)
TIE = 1e-4  # pixels; coordinates are float32, of up to 224


def halfway(maps: Tensor, rows: int, columns: int) -> Tensor:
    """[B, 2, 3] -> [B, 1, H, W]: where a map leads halfway between two pixels, so that rounding decides for one."""
    x = torch.arange(columns, dtype=torch.float64) - (columns - 1) / 2
    y = torch.arange(rows, dtype=torch.float64)[:, None] - (rows - 1) / 2
    maps = maps.double()[..., None, None]
    places = [maps[:, i, 0] * x + maps[:, i, 1] * y + maps[:, i, 2] + n / 2 for i, n in enumerate((columns, rows))]
    return torch.stack([(place - place.round()).abs() < TIE for place in places]).any(0)[:, None]


def affine(image: Tensor, translate: list[int], shear: list[float], center: list[float] | None, **how) -> Tensor:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    return functional.affine(image, angle=0.0, translate=translate, scale=1.0, shear=shear, center=center, **how)


def rotated(image: Tensor, degrees: float, **how) -> Tensor:
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    return functional.rotate(image, degrees, **how)


def slant(amount: float) -> float:
    return math.degrees(math.atan(amount))


def uniform(samples: int, limit: float) -> Tensor:
    return (torch.rand(samples, generator=GENERATOR) * 2 - 1) * limit


# our map, torchvision's operation, parameters
CASES = {
    "shear_x": (
        lambda m, rows, columns: geometry.shear_x(m, rows),
        lambda image, m, **how: affine(image, [0, 0], [slant(m), 0.0], [0, 0], **how),
        lambda n: uniform(n, 0.6),
    ),
    "shear_y": (
        lambda m, rows, columns: geometry.shear_y(m, columns),
        lambda image, m, **how: affine(image, [0, 0], [0.0, slant(m)], [0, 0], **how),
        lambda n: uniform(n, 0.6),
    ),
    "translate_x": (
        lambda m, rows, columns: geometry.translate_x(m),
        lambda image, m, **how: affine(image, [int(m), 0], [0.0, 0.0], None, **how),
        lambda n: uniform(n, 30).round(),
    ),
    "translate_y": (
        lambda m, rows, columns: geometry.translate_y(m),
        lambda image, m, **how: affine(image, [0, int(m)], [0.0, 0.0], None, **how),
        lambda n: uniform(n, 30).round(),
    ),
    "rotate": (lambda m, rows, columns: geometry.rotate(m), rotated, lambda n: uniform(n, 60)),
}


@pytest.mark.peer
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fill", [0, 128])
@pytest.mark.parametrize("name", CASES)
def test_nearest_is_torchvisions(name: str, fill: int, size: tuple[int, ...]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    make, theirs, draw = CASES[name]
    images, parameter = pictures(*size), draw(size[0])
    maps = make(parameter, *size[2:])
    ours = geometry.warp(images, maps, "nearest", fill)
    nearest = transforms.InterpolationMode.NEAREST
    expected = one_by_one(lambda *args: theirs(*args, interpolation=nearest, fill=fill), images, parameter)
    ties = halfway(maps, *size[2:])
    assert torch.equal(ours.masked_fill(ties, 0), expected.masked_fill(ties, 0))
    assert ties.float().mean() < 0.01


@pytest.mark.peer
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fill", [0, 128])
@pytest.mark.parametrize("name", CASES)
def test_bilinear_is_torchvisions_mixed_with_the_fill_once(name: str, fill: int, size: tuple[int, ...]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    make, theirs, draw = CASES[name]
    images, parameter = pictures(*size), draw(size[0])
    ours = geometry.warp(images, make(parameter, *size[2:]), "bilinear", fill)
    bilinear = transforms.InterpolationMode.BILINEAR
    # torchvision's own `fill` mixes it in twice along the edges; without one it mixes with black, as it should
    seen, share = (
        one_by_one(lambda *args: theirs(*args, interpolation=bilinear), values, parameter)
        for values in (images.float(), torch.ones_like(images, dtype=torch.float32))
    )
    difference = (ours - (seen + (1 - share) * fill)).abs()
    assert difference.max() < 0.5 + 255 * TIE  # ours is rounded, and seen from places that may be so far off


def test_maps_move_a_point_where_their_names_say():
    images = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    images[..., 1, 2] = 200  # one above the centre

    def place(maps: Tensor) -> list[int]:
        return geometry.warp(images, maps)[0, 0].nonzero()[0].tolist()

    number = torch.ones(1)
    assert place(geometry.translate_x(number)) == [1, 3]
    assert place(geometry.translate_y(number)) == [2, 2]
    assert place(geometry.rotate(90 * number)) == [2, 1]
    assert place(geometry.shear_x(number / 1.5, 5)) == [1, 1]
    assert place(geometry.shear_y(number / 2.5, 5)) == [0, 2]


def test_cutout_overwrites_the_square_and_nothing_else():
    images = pictures(4, 3, 9, 12)
    centre, reach = torch.tensor([[4.0, 5], [0, 0], [8, 11], [3, 3]]), torch.tensor([2.0, 3, 1, 0])
    expected = images.clone()
    expected[0, :, 2:6, 3:7] = 128
    expected[1, :, :3, :3] = 128
    expected[2, :, 7:, 10:] = 128
    assert torch.equal(geometry.cutout(images, centre, reach, 128), expected)
