import pytest
import torch

from tests.augment.pictures import pictures, torchvision_steps
from vitlab.augment import policy
from vitlab.augment.ops.trivial_augment import Spec, steps
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(200))[0]


@pytest.mark.peer
def test_every_image_is_what_torchvision_makes_of_it():
    images = pictures(200, 3, 32, 40)
    code, magnitude = policy.drawn(steps(), policy.choose(steps(), KEYS), KEYS)
    expected = torchvision_steps(images, code, magnitude, 128)
    # rounding may choose another one of two pixels that are equally near
    assert (Spec(fill=128).apply(images, KEYS) != expected).float().mean() < 1e-4


def test_operations_and_strengths_are_equally_likely():
    stats = pytest.importorskip("scipy.stats")
    keys = sample_keys(torch.tensor([1]), torch.arange(50_000))[0]
    assert len(steps()) == 14 * 31
    assert stats.chisquare(torch.bincount(policy.choose(steps(), keys), minlength=14 * 31)).pvalue > 0.001


def test_what_is_no_grey_level_is_refused():
    with pytest.raises(SpecError, match=r"trivial_augment\.fill=300"):
        Spec(fill=300)
