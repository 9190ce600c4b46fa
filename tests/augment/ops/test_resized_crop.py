import pytest
import torch

from tests.augment.pictures import one_by_one, pictures
from vitlab.augment.ops.resized_crop import Spec
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(24))[0]
MANY = sample_keys(torch.tensor([1]), torch.arange(20_000))[0]


@pytest.mark.peer
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("size", [None, (16, 48)])
def test_every_box_is_resized_as_torchvision_does(size: tuple[int, int] | None, mode: str):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    images, spec = pictures(24, 3, 32, 40), Spec(size=size, interpolation=mode)
    how = {"size": list(size or (32, 40)), "interpolation": transforms.InterpolationMode(mode), "antialias": True}
    boxes = spec.boxes(spec.draws(KEYS), 32, 40)
    expected = one_by_one(lambda image, box: transforms.functional.resized_crop(image, *box, **how), images, boxes)
    assert torch.equal(spec.apply(images, KEYS), expected)


@pytest.mark.peer
@pytest.mark.parametrize("settings", [{}, {"scale": (0.5, 1.0), "ratio": (0.5, 3.0)}])
def test_boxes_are_distributed_as_torchvisions(settings: dict[str, tuple[float, float]]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    stats = pytest.importorskip("scipy.stats")
    torch.manual_seed(0)
    reference, images = transforms.RandomResizedCrop(8, **settings), [torch.zeros(1, 60, 90)]
    drawn = [reference.make_params(images) for _ in range(3000)]
    theirs = torch.tensor([[each[name] for name in ("top", "left", "height", "width")] for each in drawn])
    spec = Spec(**settings)
    ours = spec.boxes(spec.draws(MANY), 60, 90)
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001


def test_boxes_keep_to_their_ranges():
    top, left, height, width = Spec().boxes(Spec().draws(MANY), 200, 220).unbind(1)
    assert ((top >= 0) & (left >= 0) & (top + height <= 200) & (left + width <= 220)).all()
    share, ratio = height * width / (200 * 220), width / height
    assert 0.078 < share.min() < 0.09 < 0.97 < share.max() <= 1  # sides are rounded to whole pixels
    assert 0.74 < ratio.min() < 0.76 < 1.32 < ratio.max() < 1.35


@pytest.mark.peer
@pytest.mark.parametrize("ratio", [(3.0, 4.0), (0.1, 0.2), (1.4, 1.6)])
def test_where_no_box_fits_it_is_torchvisions_central_one(ratio: tuple[float, float]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    settings = {"scale": (1.0, 1.0), "ratio": ratio}  # the whole area, in a shape that may not be the image's
    expected = transforms.RandomResizedCrop(8, **settings).make_params([torch.zeros(1, 60, 90)])
    spec = Spec(**settings)
    boxes = spec.boxes(spec.draws(KEYS), 60, 90)
    central = [expected[name] for name in ("top", "left", "height", "width")]
    fits = ((boxes[:, 2] <= 60) & (boxes[:, 3] <= 90)).all()
    assert fits
    if ratio != (1.4, 1.6):
        assert boxes.tolist() == [central] * 24


@pytest.mark.parametrize(
    "settings",
    [{"size": (0, 8)}, {"scale": (0.0, 1.0)}, {"scale": (0.9, 0.1)}, {"scale": (0.5, 1.1)}, {"ratio": (2, 1)}],
)
def test_what_cannot_be_is_refused(settings: dict[str, tuple[float, float]]):
    with pytest.raises(SpecError, match=f"resized_crop.{next(iter(settings))}="):
        Spec(**settings)
