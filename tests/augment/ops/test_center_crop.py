import pytest
import torch

from tests.augment.pictures import pictures
from vitlab.augment.ops.center_crop import Spec
from vitlab.base.errors import SpecError


@pytest.mark.peer
@pytest.mark.parametrize("size", [(30, 41), (29, 40), (17, 22), (1, 38)])
def test_it_is_torchvisions(size: tuple[int, int]):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    images = pictures(6, 3, 30, 41)
    assert torch.equal(Spec(size=size).apply(images, torch.arange(6)), transforms.CenterCrop(size)(images))


def test_what_cannot_be_is_refused():
    with pytest.raises(SpecError, match=r"center_crop\.size=\(0, 4\): must be at least 1"):
        Spec(size=(0, 4))
    with pytest.raises(SpecError, match=r"center_crop\.size=\(8, 9\): must be within the image's \(9, 8\)"):
        Spec(size=(8, 9)).out_size(9, 8)
