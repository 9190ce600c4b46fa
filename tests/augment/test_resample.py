import pytest
import torch
from torch import Tensor

from tests.augment.pictures import one_by_one, pictures
from vitlab.augment import resample

# old size, new size: the same, less, more, both, much less
SIZES = [
    ((32, 32), (32, 32)),
    ((40, 63), (32, 20)),
    ((33, 20), (50, 45)),
    ((150, 128), (112, 140)),
    ((128, 96), (24, 24)),
]
MODES = ["nearest", "bilinear", "bicubic"]


def boxes_in(samples: int, rows: int, columns: int) -> Tensor:
    """Boxes of all sizes and places; the first is the whole image, the second one pixel."""
    size = torch.tensor([rows, columns])
    draws = torch.rand(2, samples, 2, generator=torch.Generator().manual_seed(3))
    sides = (draws[0] * size).long() + 1
    sides[0], sides[1] = size, 1
    return torch.cat([(draws[1] * (size - sides + 1)).long(), sides], dim=1)


@pytest.mark.peer
@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_boxes_are_resized_as_torchvision_does(mode: str, old: tuple[int, int], new: tuple[int, int]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    images, boxes = pictures(12, 3, *old), boxes_in(12, *old)
    how = {"size": list(new), "interpolation": transforms.InterpolationMode(mode), "antialias": True}
    expected = one_by_one(lambda image, box: transforms.functional.resized_crop(image, *box, **how), images, boxes)
    assert torch.equal(resample.resize_boxes(images, boxes, new, mode), expected)


@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_all_boxes_at_once_are_what_they_are_one_by_one(mode: str, old: tuple[int, int], new: tuple[int, int]):
    images, boxes = pictures(12, 3, *old), boxes_in(12, *old)
    ours, expected = (way(images, boxes, new, mode) for way in (resample.all_at_once, resample.one_by_one))
    difference = (ours.int() - expected.int()).abs()
    # torch's weights have other units, so a sum near a half may be rounded the other way; twice, as both directions do
    assert difference.max() <= {"nearest": 0, "bilinear": 1, "bicubic": 2}[mode]
    assert (difference > 0).float().mean() < 0.01
    assert (difference > 1).float().mean() < 1e-4


@pytest.mark.peer
@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_whole_images_are_resized_as_torchvision_does(mode: str, old: tuple[int, int], new: tuple[int, int]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    images = pictures(5, 3, *old)
    expected = transforms.functional.resize(images, list(new), transforms.InterpolationMode(mode), antialias=True)
    assert torch.equal(resample.resize(images, new, mode), expected)


@pytest.mark.parametrize("mode", MODES)
def test_weights_make_means_of_the_box(mode: str):
    boxes = boxes_in(50, 40, 63)
    weights = resample.weights(boxes[:, 1], boxes[:, 3], 63, 20, mode)
    assert (weights.sum(-1) - 1).abs().max() <= 63 * resample.UNIT / 2
    place = torch.arange(63) - boxes[:, 1:2]
    outside = (place < 0) | (place >= boxes[:, 3:])
    assert (weights * outside[:, None]).abs().max() == 0


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_sums_are_exact_so_that_their_order_does_not_matter(mode: str):
    boxes = boxes_in(50, 200, 200)
    weights = resample.weights(boxes[:, 0], boxes[:, 2], 200, 64, mode)
    values = torch.randint(0, 256, (50, 200, 30), generator=torch.Generator().manual_seed(4))
    values[:, :, 0], values[:, :, 1] = 255, 255 * (torch.arange(200) % 2)
    assert torch.equal((weights @ values.float()).double(), weights.double() @ values.double())


@pytest.mark.parametrize("mode", MODES)
def test_nobody_looks_at_the_boxes_where_looking_costs_time(mode: str):
    images, boxes = pictures(4, 3, 20, 30).to("meta"), boxes_in(4, 20, 30).to("meta")
    assert resample.resize_boxes(images, boxes, (8, 9), mode).shape == (4, 3, 8, 9)
    assert resample.resize(images, (8, 9), mode).shape == (4, 3, 8, 9)
