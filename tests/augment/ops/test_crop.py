import pytest
import torch

from vitlab.augment.ops.crop import Spec
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(64))[0]
IMAGES = torch.randint(0, 256, (64, 3, 6, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.peer
@pytest.mark.parametrize(("fill", "mode"), [("zero", "constant"), ("reflect", "reflect")])
def test_every_window_is_torchvisions_pad_and_crop(fill: str, mode: str):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    spec = Spec(padding=4, fill=fill)
    top, left = spec.corners(KEYS)
    padded = functional.pad(IMAGES, [4], padding_mode=mode)
    expected = [functional.crop(padded[i], int(top[i]), int(left[i]), 6, 9) for i in range(64)]
    assert torch.equal(spec.apply(IMAGES, KEYS), torch.stack(expected))


def test_without_padding_nothing_moves():
    assert torch.equal(Spec(padding=0).apply(IMAGES, KEYS), IMAGES)


def test_micro_batches_see_the_same():
    halves = [Spec().apply(IMAGES[part], KEYS[part]) for part in (slice(0, 20), slice(20, 64))]
    assert torch.equal(torch.cat(halves), Spec().apply(IMAGES, KEYS))


def test_every_corner_is_equally_likely():
    keys = sample_keys(torch.tensor([1]), torch.arange(81_000))[0]
    top, left = Spec(padding=4).corners(keys)
    counts = torch.bincount(top * 9 + left, minlength=81)
    assert len(counts) == 81
    assert ((counts - 1000) ** 2 / 1000).sum() < 124.8  # chi-squared with 80 degrees of freedom, p = 0.001


def test_a_padding_that_cannot_be_is_refused():
    with pytest.raises(SpecError, match=r"crop\.padding=-1"):
        Spec(padding=-1)
    with pytest.raises(SpecError, match=r"crop\.padding=6: must be less than the image's side 6"):
        Spec(padding=6, fill="reflect").apply(IMAGES, KEYS)
