"""preprocessor_config.json: what its fields mean for a picture, and the numbers that transformers' processors make."""

import io
import json

import numpy as np
import pytest
import torch

from vitlab.augment.ops import center_crop, flip
from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.source._hf_pictures import (
    preprocessing_of,
    preprocessor_config,
    resized_otherwise,
    told_or_usual,
)
from vitlab.data.decode import decode
from vitlab.preprocessing import Preprocessing

HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
CUT = {"do_center_crop": True, "crop_size": {"height": 8, "width": 8}}
SHORTER = {"shortest_edge": 12}
SQUASHED, CROPPED = ([8, 8], "squash", None), ([12, 12], "crop", [8, 8])
READ = {  # fields, the size of the model's images, and: decoded to, how, and what is cut out
    "both sides": ({"size": {"height": 8, "width": 8}}, [8, 8], SQUASHED),
    "one number": ({"size": 8}, [8, 8], SQUASHED),
    "one number, of which the middle is cut out": ({"size": 12, **CUT}, [8, 8], ([12, 12], "squash", [8, 8])),
    "CLIP's one number": ({"size": 12, **CUT, "feature_extractor_type": "CLIPFeatureExtractor"}, [8, 8], CROPPED),
    "the shorter side": ({"size": SHORTER, **CUT}, [8, 8], CROPPED),
    "the shorter side, cut as one number": ({"size": SHORTER, "do_center_crop": True, "crop_size": 8}, [8, 8], CROPPED),
    "the shorter side, not cut": ({"size": SHORTER}, [8, 8], ([8, 8], "crop", None)),
    "not square": (
        {"size": SHORTER, "do_center_crop": True, "crop_size": {"height": 8, "width": 4}},
        [8, 4],
        ([12, 12], "crop", [8, 4]),
    ),
    "a larger model": ({"size": SHORTER, **CUT}, [16, 16], ([24, 24], "crop", [16, 16])),
    "no resizing": ({"do_resize": False, "size": 8}, [8, 8], SQUASHED),
    "SigLIP 2's": ({"max_num_patches": 256, "patch_size": 4}, [8, 8], SQUASHED),
}
REFUSED = {
    "padding": ({"size": 6, **CUT}, r"crop_size=.*: larger than size=6, which would be padded"),
    "the longer side": ({"size": {"longest_edge": 8}}, r"size=\{'longest_edge': 8\}: possible: a number, height and"),
    "no size": ({"size": "large"}, "size='large': possible"),
    "nothing": ({"size": 0}, "size=0: possible"),
    "memory": (
        {"size": SHORTER | {"shortest_edge": 1 << 20}, **CUT},
        "size=.*: 1,048,576 × 1,048,576 pixels, and at",
    ),
    "channels": ({"size": 8, "image_mean": [0.1, 0.2]}, r"image_mean=\[0.1, 0.2\]: the model takes 3 channels"),
    "kind": ({"size": 8, "image_mean": "grey"}, "image_mean='grey': expected numbers"),
    "spread": ({"size": 8, "image_std": [0.5, 0.5, 0.0]}, r"image_std=\[0.5, 0.5, 0.0\]: must be positive"),
    "scale": ({"size": 8, "rescale_factor": 0}, "rescale_factor=0: expected a number between"),
}


@pytest.mark.parametrize(("fields", "size", "expected"), READ.values(), ids=READ)
def test_sizes_are_of_the_picture_as_the_model_takes_it(fields, size, expected, tiny_spec):
    spec = tiny_spec(img_size=size)
    ours = preprocessing_of(HALF | fields, spec, ())
    decoded, fit, cut = expected
    ops = (center_crop.Spec(size=tuple(cut)),) if cut else ()
    assert (ours.img_size, ours.fit, ours.ops) == (tuple(decoded), fit, ops)


RESAMPLED = {  # what the file says, and the interpolation
    "bilinear": ("clip", {"resample": 2}, "bilinear"),
    "bicubic": ("vit", {"resample": 3}, "bicubic"),
    "nothing, of a family that is bilinear": ("vit", {"resample": None}, "bilinear"),
    "nothing, of one that is bicubic": ("deit", {}, "bicubic"),
    "Lanczos": ("vit", {"resample": 1}, "bicubic"),
}


@pytest.mark.parametrize(("family", "fields", "expected"), RESAMPLED.values(), ids=RESAMPLED)
def test_pictures_are_resized_as_the_file_says(family, fields, expected, tiny_spec):
    told = told_or_usual({"size": 8} | fields, family)
    assert preprocessing_of(told, tiny_spec(img_size=[8, 8]), ()).interpolation == expected


def test_what_is_resized_otherwise_is_said():
    assert resized_otherwise({"resample": 2}) == resized_otherwise({"resample": 3}) == ()
    (lanczos,) = resized_otherwise({"resample": 1})
    assert lanczos == "pictures are resized by bicubic interpolation, and were there by Lanczos (resample=1)"
    (as_it_is,) = resized_otherwise({"do_resize": False, "resample": 1})
    assert as_it_is.endswith("which do_resize=false leaves to the caller")


@pytest.mark.parametrize(("fields", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_by_field_and_value(fields, said, tiny_spec):
    with pytest.raises(CheckpointError, match=f"preprocessor_config.json: {said}"):
        preprocessing_of(HALF | fields, tiny_spec(img_size=[8, 8]), ())


SCALES = {
    "as usual": ({}, 1 / 255, 0.5, 0.25),
    "written in decimals": ({"rescale_factor": 0.00392156862745098}, 1 / 255, 0.5, 0.25),
    "from -1 to 1": ({"rescale_factor": 1 / 127.5}, 1 / 127.5, 0.5, 0.25),
    "not rescaled": ({"do_rescale": False}, 1.0, 0.5, 0.25),
    "not normalised": ({"do_normalize": False}, 1 / 255, 0.0, 1.0),
    "neither": ({"do_rescale": False, "do_normalize": False}, 1.0, 0.0, 1.0),
}


@pytest.mark.parametrize(("fields", "factor", "mean", "std"), SCALES.values(), ids=SCALES)
def test_numbers_are_what_rescaling_and_normalising_make_of_bytes(fields, factor, mean, std, tiny_spec):
    ours = preprocessing_of(HALF | {"size": 8} | fields, tiny_spec(img_size=[8, 8]), ())
    pixels = torch.arange(192).reshape(1, 1, 3, 8, 8).to(torch.uint8)
    torch.testing.assert_close(prepared(ours, pixels[0]), (pixels[0] * factor - mean) / std)


def prepared(preprocessing: Preprocessing, pixels: torch.Tensor) -> torch.Tensor:
    """[n, C, H, W] uint8 -> images"""
    keys = torch.zeros(1, len(pixels), dtype=torch.int64)
    return preprocessing.pipeline(5)(pixels[None], keys, keys)[0][0]


@pytest.mark.parametrize("mean", [[0.25], [0.25, 0.25, 0.25], 0.25])
def test_one_number_serves_all_channels(mean, tiny_spec):
    ours = preprocessing_of({"image_mean": mean, "image_std": 0.5}, tiny_spec(in_chans=1), ())
    assert (ours.mean, ours.std) == ((0.25,), (0.5,))


def test_what_the_file_does_not_say_is_usual_of_the_family():
    assert told_or_usual(None, "clip")["crop_size"] == {"height": 224, "width": 224}
    told = told_or_usual({"size": 384, "image_std": None, "image_mean": [0.1] * 3}, "clip")
    assert told == {"size": 384, "image_mean": [0.1] * 3, "image_std": [0.26862954, 0.26130258, 0.27577711]}


# ------------------------------------------------------------------------------------------------------------- and back

OURS = {
    "squashed": Preprocessing((8, 12), "squash", (), (0.5, 0.4, 0.3), (0.25, 0.5, 1.0), tuple("abcde")),
    "bilinear": Preprocessing(
        *((8, 12), "squash", (), (0.5, 0.4, 0.3), (0.25, 0.5, 1.0), tuple("abcde")), interpolation="bilinear"
    ),
    "squashed and cut": Preprocessing(
        *((10, 14), "squash", (center_crop.Spec(size=(8, 12)),)), (0.5, 0.4, 0.3), (0.25, 0.5, 1.0), tuple("abcde")
    ),
    "cropped": Preprocessing(
        *((16, 16), "crop", (center_crop.Spec(size=(8, 12)),)), (0.5, 0.4, 0.3), (0.25, 0.5, 1.0), tuple("abcde")
    ),
}
NONE_HAS = {
    "bars": (
        Preprocessing((8, 8), "pad", (), (0.5,), (0.5,), ()),
        "with fit=pad to 8 × 8 pixels; possible: squash, or",
    ),
    "oblong": (Preprocessing((8, 12), "crop", (), (0.5,), (0.5,), ()), "with fit=crop to 8 × 12 pixels"),
    "chance": (Preprocessing((8, 8), "crop", (flip.Spec(),), (0.5,), (0.5,), ()), "with flip; possible: one center"),
    "white": (Preprocessing((8, 8), "crop", (), (0.5,), (0.5,), (), white=1023.0), "with white=1023"),
}


@pytest.mark.parametrize("ours", OURS.values(), ids=OURS)
def test_ours_is_read_back_from_what_is_written_of_it(ours, tiny_spec):
    written = json.loads(json.dumps(preprocessor_config(ours)))
    assert preprocessing_of(written, tiny_spec(), ours.class_names) == ours


@pytest.mark.parametrize(("ours", "said"), NONE_HAS.values(), ids=NONE_HAS)
def test_what_no_processor_does_is_refused(ours, said):
    with pytest.raises(CheckpointError, match=f"transformers has no preprocessing {said}"):
        preprocessor_config(ours)


@pytest.mark.peer
@pytest.mark.parametrize("ours", OURS.values(), ids=OURS)
def test_its_processor_makes_the_same_numbers_of_the_same_pixels(ours, tmp_path):
    """Of pictures that need not be resized, so that interpolation has no say."""
    transformers = pytest.importorskip("transformers")
    pillow = pytest.importorskip("PIL.Image")
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(preprocessor_config(ours)))
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (*ours.img_size, 3), dtype=np.uint8)
    theirs = processor(images=pillow.fromarray(pixels), return_tensors="pt")["pixel_values"]
    mine = prepared(ours, torch.from_numpy(pixels).permute(2, 0, 1)[None])
    torch.testing.assert_close(mine, torch.as_tensor(theirs), rtol=0, atol=1e-5)


@pytest.mark.peer
@pytest.mark.parametrize(
    ("processor", "most"), [("SiglipImageProcessor", 0), ("ViTImageProcessor", 0), ("CLIPImageProcessor", 4)]
)
def test_a_photograph_is_resized_almost_alike(processor, most, tiny_spec):
    """Bicubic, bilinear, and bicubic of the shorter side: mean differences in grey levels."""
    transformers, pillow = pytest.importorskip("transformers"), pytest.importorskip("PIL.Image")
    pixels = pytest.importorskip("sklearn.datasets").load_sample_image("china.jpg")
    theirs = getattr(transformers, processor)()
    ours = preprocessing_of(theirs.to_dict(), tiny_spec(img_size=[224, 224]), ())
    file = io.BytesIO()
    pillow.fromarray(pixels).save(file, "png")
    mine = prepared(ours, decode(file.getvalue(), ours.frame)[None])
    differing = mine - torch.as_tensor(theirs(images=pillow.fromarray(pixels), return_tensors="pt")["pixel_values"])
    assert 255 * (differing * torch.tensor(ours.std)[:, None, None]).abs().mean() <= most + 1e-3
