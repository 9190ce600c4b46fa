import pytest
import torch

from tests.augment.pictures import one_by_one, pictures
from vitlab.augment.ops.rotate import Spec
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(24))[0]


@pytest.mark.peer
@pytest.mark.parametrize(("mode", "fill"), [("nearest", 0), ("nearest", 128), ("bilinear", 0)])
def test_every_image_is_torchvisions(mode: str, fill: int):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    images, spec = pictures(24, 3, 32, 40), Spec(degrees=40, interpolation=mode, fill=fill)
    how = {"interpolation": transforms.InterpolationMode(mode), "fill": fill or None}
    expected = one_by_one(
        lambda image, angle: transforms.functional.rotate(image, angle, **how), images, spec.angles(KEYS)
    )
    difference = (spec.apply(images, KEYS).int() - expected.int()).abs()
    # sums of four pixels in another order, of which one may be a half (bilinear)
    assert difference.max() <= (mode == "bilinear")
    assert (difference > 0).float().mean() < 1e-4


def test_angles_are_uniform_to_both_sides():
    stats = pytest.importorskip("scipy.stats")
    angles = Spec(degrees=20).angles(sample_keys(torch.tensor([1]), torch.arange(10_000))[0])
    assert stats.kstest(angles.double().numpy(), stats.uniform(-20, 40).cdf).pvalue > 0.001


def test_by_no_angle_nothing_moves():
    images = pictures(24, 3, 32, 40)
    assert torch.equal(Spec(degrees=0, interpolation="bilinear", fill=128).apply(images, KEYS), images)


@pytest.mark.parametrize("settings", [{"degrees": -1.0}, {"fill": 256}, {"fill": -1}])
def test_what_cannot_be_is_refused(settings: dict[str, float]):
    with pytest.raises(SpecError, match=f"rotate.{next(iter(settings))}="):
        Spec(**settings)
