"""What a picture goes through: one class, written and read, that makes every pipeline."""

import json
from dataclasses import replace

import pytest
import torch

from vitlab.augment.ops import center_crop, resize
from vitlab.base.errors import DataError, SpecError
from vitlab.base.spec import from_dict, to_dict
from vitlab.data.sets import digits
from vitlab.preprocessing import Preprocessing

OPS = (resize.Spec((12, 12)), center_crop.Spec((8, 8)))


@pytest.fixture
def preprocessing():
    return Preprocessing((16, 16), "squash", OPS, (0.25,), (0.5,), ("no", "yes"), interpolation="bilinear")


def test_it_comes_back_from_what_is_written(preprocessing, tmp_path):
    preprocessing.write(tmp_path)
    written = json.loads((tmp_path / Preprocessing.file).read_text())
    assert (
        from_dict(Preprocessing, {name: value for name, value in written.items() if name != "schema"}) == preprocessing
    )
    assert to_dict(preprocessing)["ops"][0] == {"name": "resize", **to_dict(OPS[0])}


def test_that_of_a_data_set_has_its_statistics_and_names():
    images = digits.Spec().load()
    made = Preprocessing.of(images, (8, 8), ())
    assert (made.mean, made.std, made.class_names) == (images.mean, images.std, images.class_names)
    assert (made.frame.img_size, made.frame.in_chans, made.frame.fit) == ((8, 8), 1, images.frame.fit)


def test_an_evaluation_goes_through_the_ops_and_is_normalised(preprocessing):
    pixels = torch.full((2, 1, 16, 16), 255, dtype=torch.uint8)
    images, targets = preprocessing.pipeline(2, torch.float64)(
        pixels[None], torch.tensor([[0, 1]]), torch.zeros(1, 2, dtype=torch.int64)
    )
    assert images.shape == (1, 2, 1, 8, 8)
    torch.testing.assert_close(images, torch.full_like(images, (1 - 0.25) / 0.5))
    assert targets.tolist() == [[[1, 0], [0, 1]]]


def test_no_pictures_are_refused(preprocessing):
    with pytest.raises(DataError, match="no pictures were given"):
        preprocessing.prepare([])


def test_training_has_an_augmentation_in_its_place(preprocessing):
    pixels = torch.arange(144, dtype=torch.uint8).view(1, 1, 1, 12, 12)
    nothing = torch.zeros(1, 1, dtype=torch.int64)
    pipeline = preprocessing.training_pipeline([center_crop.Spec((4, 4))], 2, torch.float32)
    cropped, _ = pipeline(pixels, nothing, nothing)
    expected = (pixels[..., 4:8, 4:8] / 255 - 0.25) / 0.5
    torch.testing.assert_close(cropped, expected)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"std": (0.0,)}, r"std=\[0\.0\]: must be positive"),
        ({"std": (0.5, 0.5)}, "mean has 1 channels, and std 2"),
        ({"img_size": (0, 8)}, r"img_size=\[0, 8\]: must be positive"),
        ({"max_pixels": 0}, "max_pixels=0: must be 1 or more"),
    ],
)
def test_what_no_picture_goes_through_is_damage(changes, said):
    plain = Preprocessing((8, 8), "crop", (), (0.5,), (0.25,), ("a", "b"))
    with pytest.raises(SpecError, match=said):
        replace(plain, **changes)


def test_it_says_what_it_does(preprocessing):
    once = replace(preprocessing, img_size=(10, 12), fit="crop", mean=(0.5,), std=(0.25,))
    assert replace(once, ops=()).told((8, 8)) == (
        "brought to 10 × 12 pixels (the shorter side resized, the middle kept; bilinear), scaled to values from 0 to "
        "1, and normalised with a mean of 0.5 and a standard deviation of 0.25"
    )
    cut = replace(once, ops=(OPS[1],)).told((8, 8))
    assert "put through center crop to 8 × 8 pixels, scaled" in cut
