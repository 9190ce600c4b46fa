import pytest
import torch

from vitlab.augment.ops.crop import Spec
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(64))[0]
IMAGES = torch.randint(0, 256, (64, 3, 6, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.peer
@pytest.mark.parametrize("size", [None, (6, 9), (4, 13), (14, 1)])
@pytest.mark.parametrize(("fill", "mode"), [("zero", "constant"), ("reflect", "reflect")])
def test_every_window_is_torchvisions_pad_and_crop(fill: str, mode: str, size: tuple[int, int] | None):
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    spec = Spec(padding=4, fill=fill, size=size)
    top, left = spec.corners(KEYS, 6, 9)
    padded = functional.pad(IMAGES, [4], padding_mode=mode)
    expected = [functional.crop(padded[i], int(top[i]), int(left[i]), *spec.out_size(6, 9)) for i in range(64)]
    assert torch.equal(spec.apply(IMAGES, KEYS), torch.stack(expected))


def test_without_padding_nothing_moves():
    assert torch.equal(Spec(padding=0).apply(IMAGES, KEYS), IMAGES)


@pytest.mark.parametrize(("rows", "columns", "size", "places"), [(6, 9, None, (9, 9)), (6, 9, (5, 14), (10, 4))])
def test_every_corner_is_equally_likely(rows: int, columns: int, size: tuple[int, int] | None, places: tuple[int, int]):
    stats = pytest.importorskip("scipy.stats")
    keys = sample_keys(torch.tensor([1]), torch.arange(40_000))[0]
    top, left = Spec(padding=4, size=size).corners(keys, rows, columns)
    counts = torch.bincount(top * places[1] + left, minlength=places[0] * places[1])
    assert len(counts) == places[0] * places[1]
    assert stats.chisquare(counts).pvalue > 0.001


def test_what_cannot_be_is_refused():
    with pytest.raises(SpecError, match=r"crop\.padding=-1"):
        Spec(padding=-1)
    with pytest.raises(SpecError, match=r"crop\.size=\(0, 4\): must be at least 1"):
        Spec(size=(0, 4))
    for fill in ("zero", "reflect"):
        with pytest.raises(SpecError, match=r"crop\.padding=6: must be less than the image's side 6"):
            Spec(padding=6, fill=fill).apply(IMAGES, KEYS)


@pytest.mark.parametrize("size", [(15, 9), (6, 18)])
def test_a_window_larger_than_the_padded_image_is_refused_before_anything_runs(size: tuple[int, int]):
    with pytest.raises(SpecError, match=r"crop\.size=\(\d+, \d+\): must be within the padded image's \(14, 17\)"):
        Spec(padding=4, size=size).out_size(6, 9)
