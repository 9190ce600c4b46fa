import pytest
import torch

from tests.augment.pictures import pictures
from vitlab.augment.ops.resize import Spec
from vitlab.base.errors import SpecError

IMAGES = pictures(6, 3, 30, 41)


@pytest.mark.peer
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_it_is_torchvisions(mode: str):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    resized = Spec(size=(20, 50), interpolation=mode).apply(IMAGES, torch.arange(6))
    expected = transforms.Resize((20, 50), transforms.InterpolationMode(mode), antialias=True)(IMAGES)
    assert torch.equal(resized, expected)


def test_a_size_that_cannot_be_is_refused():
    with pytest.raises(SpecError, match=r"resize\.size=\(20, 0\): must be at least 1"):
        Spec(size=(20, 0))
