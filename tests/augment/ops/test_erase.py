import pytest
import torch

from vitlab.augment.ops.erase import Spec, normal_noise
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(64))[0]
IMAGES = torch.randn(64, 3, 16, 24, generator=torch.Generator().manual_seed(0))
MEAN, STD = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.2, 0.3])


@pytest.mark.peer
@pytest.mark.parametrize("value", ["mean_raw", "zero"])
def test_every_rectangle_is_torchvisions(value: str):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    spec = Spec(p=0.7, value=value)
    filling = MEAN[:, None, None] if value == "mean_raw" else torch.zeros(3, 1, 1)
    expected = [
        functional.erase(image, *box, filling)
        for image, box in zip(IMAGES, spec.boxes(KEYS, 16, 24).tolist(), strict=True)
    ]
    erased = spec.apply(IMAGES, KEYS, MEAN, STD)
    assert torch.equal(erased, torch.stack(expected))
    assert 30 < (erased != IMAGES).flatten(1).any(1).sum() < 60


@pytest.mark.slow
@pytest.mark.peer
def test_sides_are_distributed_as_torchvisions():
    transforms = pytest.importorskip("torchvision.transforms.v2")
    stats = pytest.importorskip("scipy.stats")
    torch.manual_seed(0)
    reference = transforms.RandomErasing(p=1, scale=(0.02, 0.4), ratio=(0.3, 3.3))
    image = torch.zeros(1, 16, 24)
    theirs = torch.tensor([[reference.make_params([image])[name] for name in "ijhw"] for _ in range(4000)])
    ours = Spec(p=1).boxes(sample_keys(torch.tensor([2]), torch.arange(4000))[0], 16, 24)
    for column in range(4):
        assert stats.ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001


def test_rectangles_keep_to_their_ranges():
    keys = sample_keys(torch.tensor([1]), torch.arange(20_000))[0]
    top, left, height, width = Spec().boxes(keys, 64, 64).unbind(1)
    erased = height > 0
    assert erased.float().mean().item() == pytest.approx(0.25, abs=4 * 0.0031)
    assert torch.equal(erased, width > 0)
    assert ((top >= 0) & (left >= 0) & (top + height <= 64) & (left + width <= 64)).all()
    share, aspect = (height * width / 64**2)[erased], (height / width)[erased]
    assert 0.015 < share.min() < 0.03 < 0.37 < share.max() < 0.42  # sides are rounded to whole pixels
    assert 0.27 < aspect.min() < 0.35 < 3 < aspect.max() < 3.7


def test_a_rectangle_that_never_fits_erases_nothing():
    boxes = Spec(p=1, area=(0.9, 1.0), aspect=(3.0, 3.3)).boxes(KEYS, 16, 16)
    assert (boxes[:, 2:] == 0).all()


def test_noise_is_normal_and_each_samples_own():
    noise = normal_noise(KEYS, torch.Size([3, 16, 24])).double()
    stats = pytest.importorskip("scipy.stats")
    assert stats.kstest(noise.flatten().numpy(), "norm").pvalue > 0.001
    flat = noise.flatten(1)
    assert torch.corrcoef(flat).fill_diagonal_(0).abs().max() < 5 / flat.shape[1] ** 0.5
    erased = Spec(p=1, value="noise").apply(IMAGES, KEYS, MEAN, STD)
    changed = erased != IMAGES
    assert torch.equal(erased[changed], noise.float()[changed])


@pytest.mark.parametrize("value", ["mean_raw", "zero", "noise"])
def test_micro_batches_see_the_same(value: str):
    spec = Spec(value=value)
    halves = [spec.apply(IMAGES[part], KEYS[part], MEAN, STD) for part in (slice(0, 20), slice(20, 64))]
    assert torch.equal(torch.cat(halves), spec.apply(IMAGES, KEYS, MEAN, STD))


@pytest.mark.parametrize("settings", [{"p": 2.0}, {"area": (0.4, 0.02)}, {"area": (0.0, 0.4)}, {"aspect": (0.0, 1.0)}])
def test_what_cannot_be_is_refused(settings: dict[str, object]):
    with pytest.raises(SpecError, match=f"erase.{next(iter(settings))}="):
        Spec(**settings)
