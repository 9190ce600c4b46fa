from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.augment.pictures import one_by_one, pictures
from vitlab.augment import colour

SIZES = [(16, 3, 32, 32), (6, 3, 40, 63), (6, 1, 33, 20), (4, 3, 224, 200), (4, 3, 2, 7)]
GENERATOR = torch.Generator().manual_seed(1)


def changes(samples: int) -> Tensor:
    """All the way, none, Google's strongest, torchvision's roundest, and anything up to twice."""
    drawn = torch.rand(samples, generator=GENERATOR) * 2 - 1
    drawn[:4] = torch.tensor([-1.0, 0.0, 2.7, 0.4])
    return drawn


TABLES = {
    "adjust_brightness": (lambda images, change: colour.brightness(change), changes),
    "adjust_contrast": (colour.contrast, changes),
    "posterize": (lambda images, bits: colour.posterize(bits.float()), lambda n: torch.arange(n) % 9),
    "solarize": (lambda images, threshold: colour.solarize(threshold), lambda n: torch.linspace(0, 255, n)),
    "autocontrast": (colour.autocontrast, None),
    "equalize": (colour.equalize, None),
    "invert": (colour.invert, None),
}


@pytest.mark.peer
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_torchvisions_operation(name: str, size: tuple[int, ...]):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    make, draw = TABLES[name]
    images, parameters = pictures(*size), [] if draw is None else [draw(size[0])]
    none = 1.0 if draw is changes else 0  # torchvision's factors are 1 where ours are 0
    operation = getattr(functional, name)
    expected = one_by_one(lambda image, *own: operation(image, *(none + each for each in own)), images, *parameters)
    assert torch.equal(colour.look_up(images, make(images, *parameters)), expected)


@pytest.mark.peer
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("name", "ours"), [("adjust_saturation", colour.saturation), ("adjust_sharpness", colour.sharpness)]
)
def test_every_blend_is_torchvisions(name: str, ours: Callable[..., Tensor], size: tuple[int, ...]):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    images, change = pictures(*size), changes(size[0])
    expected = one_by_one(lambda image, own: getattr(functional, name)(image, 1.0 + own), images, change)
    assert torch.equal(ours(images, change), expected)


@pytest.mark.peer
@pytest.mark.parametrize("size", SIZES)
def test_hue_is_torchvisions(size: tuple[int, ...]):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    images, turn = pictures(*size), torch.linspace(-0.5, 0.5, size[0])
    expected = one_by_one(functional.adjust_hue, images, turn)
    difference = (colour.hue(images, turn).int() - expected.int()).abs()
    assert difference.max() <= 1  # another formula for the same: a level apart where the exact value is a whole number
    assert (difference > 0).float().mean() < 1e-4


def test_grey_of_bands_is_their_mean_and_towards_it_leads_saturation():
    images = torch.tensor([10, 20, 30, 41], dtype=torch.uint8).view(1, 4, 1, 1)
    assert colour.grey(images).tolist() == [[[[25.0]]]]
    assert colour.saturation(images, torch.tensor([-1.0])).unique().tolist() == [25]
    assert colour.saturation(images, torch.tensor([1.0])).flatten().tolist() == [0, 15, 35, 57]
    assert colour.contrast(images, torch.tensor([-1.0])).unique().tolist() == [25]


def test_hue_turns_red_over_green_to_blue_and_leaves_grey():
    primaries = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], dtype=torch.uint8)[:, :, None, None]
    turned = colour.hue(primaries, torch.full((4,), 1 / 3))
    assert torch.equal(turned, primaries[[1, 2, 0, 3]])


def test_solarize_add_is_its_formula_beyond_its_range_too():
    addition = torch.tensor([0.0, 77, 110, 220])
    value = torch.arange(256)
    expected = torch.where(value < 128, (value + addition[:, None].long()).clamp(max=255), value)
    assert torch.equal(colour.solarize_add(addition)[:, 0], expected.to(torch.uint8))


def test_what_is_beyond_the_range_of_posterize_and_solarize_changes_nothing():
    identity = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(colour.posterize(torch.tensor([8.0, 9, 100])), identity.expand(3, 1, -1))
    assert torch.equal(colour.solarize(torch.tensor([256.0, 512])), identity.expand(2, 1, -1))


def test_tables_of_channels_and_of_whole_images_are_looked_up():
    images = pictures(5, 3, 6, 9)
    assert torch.equal(colour.look_up(images, colour.identity(images)), images)
    table = torch.randint(0, 256, (5, 3, 256), dtype=torch.uint8, generator=GENERATOR)
    expected = torch.stack([torch.stack([table[b, c][images[b, c].long()] for c in range(3)]) for b in range(5)])
    assert torch.equal(colour.look_up(images, table), expected)
    assert torch.equal(colour.look_up(images, table[:, :1]), colour.look_up(images, table[:, :1].expand(-1, 3, -1)))
