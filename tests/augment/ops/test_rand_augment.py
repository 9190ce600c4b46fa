import pytest
import torch

from tests.augment.pictures import pictures, torchvision_steps
from vitlab.augment import policy, spaces
from vitlab.augment.ops.rand_augment import Spec, steps
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys, subkeys

SAMPLES = 120
KEYS = sample_keys(torch.tensor([0]), torch.arange(SAMPLES))[0]
IMAGES = pictures(SAMPLES, 3, 32, 40)


@pytest.mark.peer
@pytest.mark.parametrize("magnitude", [0.0, 9.0, 30.0])
def test_every_image_is_what_torchvision_makes_of_it(magnitude: float):
    spec, expected = Spec(num_ops=3, magnitude=magnitude, fill=128), IMAGES
    offered = steps("torchvision", magnitude / 30, 32, 40)
    for place in range(3):
        own = subkeys(KEYS, f"augment.rand_augment.{place}")
        code, amount = policy.drawn(offered, policy.choose(offered, own), own)
        expected = torchvision_steps(expected, code, amount, 128)
    # rounding may choose another one of two pixels that are equally near
    assert (spec.apply(IMAGES, KEYS) != expected).float().mean() < 1e-4


def test_the_places_draw_independently():
    stats = pytest.importorskip("scipy.stats")
    keys = sample_keys(torch.tensor([1]), torch.arange(30_000))[0]
    offered = steps("torchvision", 0.3, 32, 32)
    first, second = (policy.choose(offered, subkeys(keys, f"augment.rand_augment.{place}")) for place in range(2))
    counts = torch.bincount(first * 14 + second, minlength=196)
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize(("magnitude", "level"), [(15.0, 1.5), (20.0, 2.0)])
def test_augregs_magnitudes_are_on_googles_scale(magnitude: float, level: float):
    spec = Spec(num_ops=1, magnitude=magnitude, scale=10, space="google", fill=128)
    own = subkeys(KEYS, "augment.rand_augment.0")
    offered = spaces.google_steps(level, 32, 40)
    choice = policy.choose(offered, own)
    expected = policy.take(offered, choice, IMAGES, own, "nearest", 128)
    images = spec.apply(IMAGES, KEYS)
    assert torch.equal(images, expected)
    names = [offered[each].operation for each in choice]
    changed = (images != IMAGES).flatten(1).any(1)
    assert set(names) == {step.operation for step in offered}
    for name, other in zip(names[:-1], changed[:-1], strict=True):  # the last picture is flat
        if name == "Solarize" or (name == "Posterize" and level == 2):
            assert not other, f"{name} has left its range and does nothing"
        elif name == "Cutout":
            assert other


def test_without_operations_nothing_changes():
    assert torch.equal(Spec(num_ops=0).apply(IMAGES, KEYS), IMAGES)


@pytest.mark.parametrize(
    "settings", [{"num_ops": -1}, {"magnitude": -1.0}, {"magnitude": 31.0}, {"scale": 0.0}, {"fill": 256}]
)
def test_what_cannot_be_is_refused(settings: dict[str, float]):
    with pytest.raises(SpecError, match=f"rand_augment.{next(iter(settings))}="):
        Spec(**settings)
    Spec(magnitude=31.0, space="google")
