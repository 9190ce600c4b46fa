import pytest
import torch
from torch import Tensor

from tests.augment.pictures import one_by_one, pictures
from vitlab.augment.ops.color_jitter import Spec
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(24))[0]
NAMES = ("brightness", "contrast", "saturation", "hue")


def adjusted(images: Tensor, name: str, change: Tensor) -> Tensor:
    """torchvision's operation; its factors are 1 where our changes are 0."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    none = 0.0 if name == "hue" else 1.0
    return one_by_one(lambda image, own: getattr(functional, f"adjust_{name}")(image, none + own), images, change)


@pytest.mark.peer
@pytest.mark.parametrize("names", [*((name,) for name in NAMES), NAMES[:3], NAMES])
def test_every_image_is_what_torchvisions_operations_make_of_it_in_this_order(names: tuple[str, ...]):
    spec = Spec(**dict.fromkeys(names, 0.4))
    images = expected = pictures(24, 3, 32, 40)
    changes = spec.changes(KEYS)
    for name in names:
        expected = adjusted(expected, name, getattr(changes, name))
    difference = (spec.apply(images, KEYS).int() - expected.int()).abs()
    assert difference.max() <= ("hue" in names)  # where the exact value is a whole number
    assert (difference > 0).float().mean() < 1e-4


def test_what_is_drawn_is_uniform():
    stats = pytest.importorskip("scipy.stats")
    keys = sample_keys(torch.tensor([1]), torch.arange(10_000))[0]
    changes = Spec(brightness=0.4, contrast=0.3, saturation=1.5, hue=0.1).changes(keys)
    for drawn, (low, high) in zip(changes, [(-0.4, 0.4), (-0.3, 0.3), (-1, 1.5), (-0.1, 0.1)], strict=True):
        assert stats.kstest(drawn.double().numpy(), stats.uniform(low, high - low).cdf).pvalue > 0.001
    assert torch.corrcoef(torch.stack(changes)).fill_diagonal_(0).abs().max() < 4 / 10_000**0.5


def test_without_strength_nothing_changes():
    images = pictures(24, 3, 32, 40)
    assert torch.equal(Spec().apply(images, KEYS), images)


@pytest.mark.parametrize(
    "settings", [{"brightness": -0.1}, {"contrast": -0.1}, {"saturation": -0.1}, {"hue": -0.1}, {"hue": 0.6}]
)
def test_what_cannot_be_is_refused(settings: dict[str, float]):
    with pytest.raises(SpecError, match=f"color_jitter.{next(iter(settings))}="):
        Spec(**settings)
