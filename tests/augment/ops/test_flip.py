import pytest
import torch

from vitlab.augment.ops.flip import Spec
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(64))[0]
IMAGES = torch.randint(0, 256, (64, 3, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.peer
def test_the_chosen_images_are_torchvisions_mirror_images():
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    chosen = Spec().chosen(KEYS)
    assert 0 < chosen.sum() < 64
    flipped = Spec().apply(IMAGES, KEYS)
    assert torch.equal(flipped[chosen], functional.horizontal_flip(IMAGES[chosen]))
    assert torch.equal(flipped[~chosen], IMAGES[~chosen])


def test_never_and_always():
    assert torch.equal(Spec(p=0).apply(IMAGES, KEYS), IMAGES)
    assert torch.equal(Spec(p=1).apply(Spec(p=1).apply(IMAGES, KEYS), KEYS), IMAGES)
    assert not torch.equal(Spec(p=1).apply(IMAGES, KEYS), IMAGES)


def test_micro_batches_see_the_same():
    halves = [Spec().apply(IMAGES[part], KEYS[part]) for part in (slice(0, 20), slice(20, 64))]
    assert torch.equal(torch.cat(halves), Spec().apply(IMAGES, KEYS))


def test_how_often():
    keys = sample_keys(torch.tensor([1]), torch.arange(40_000))[0]
    assert Spec(p=0.3).chosen(keys).float().mean().item() == pytest.approx(0.3, abs=4 * 0.0023)


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_what_is_no_probability_is_refused(p: float):
    with pytest.raises(SpecError, match=f"flip.p={p}"):
        Spec(p=p)
