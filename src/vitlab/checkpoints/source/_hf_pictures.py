"""transformers' preprocessor_config.json and our preprocessing, in both directions.

Where ours differs, with the same file:
  - Pixels are resized by torch's antialiased interpolation of 8 bits, bicubic or bilinear, which is what version 5
    does, bit by bit; where `resample` says something else they are resized bicubically, and that is said.
  - Where the shorter side is resized and the middle cut out, ours cuts the original and resizes that; there the resized
    one is cut, whose longer side was rounded: a shift of a pixel at most, 2 to 4 grey levels of a photograph.
  - A picture always comes to the model's own size: without `do_resize` as with it, which is said; where only the
    shorter side has a size and nothing is cropped, the middle is cut out; where the model's size is another than the
    processor's (as config.json of DINOv2 says 518 pixels and its processor 224), both of its sizes are scaled with the
    model's.
  - SigLIP 2 resizes to as many patches as fit the picture's own proportions; ours squashes it to the square grid that
    the position table has.
  - Transparent pictures are put on white, and 16 bits are scaled to 8 (`vitlab.data.decode`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vitlab.augment.ops import center_crop
from vitlab.base.errors import CheckpointError
from vitlab.base.words import shown
from vitlab.data.decode import MAX_PIXELS, Fit, Interpolation
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing

Settings = Mapping[str, Any]
Size = tuple[int, int]
FILE = "preprocessor_config.json"
_BYTE = 255
_ROUNDING, _SMALLEST = 1e-6, 1e-6  # of 255 times 1/255 as it is written; of a number by which pixels are multiplied
_RESAMPLE: dict[Interpolation, int] = {"bicubic": 3, "bilinear": 2}  # Pillow's numbers
_BILINEAR = {"resample": _RESAMPLE["bilinear"]}  # other processors are bicubic
_BY_SHORTER_SIDE = ("CLIP", "Bit", "Siglip")  # processors whose `size` means the shorter side where it is one number
_HALF = ([0.5] * 3, [0.5] * 3)
_IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
_CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
_CUT = {"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": {"height": 224, "width": 224}}
# What the published checkpoints of a family have, for a folder without the file
_USUAL: dict[str, Settings] = {
    "vit": {"image_mean": _HALF[0], "image_std": _HALF[1], **_BILINEAR},
    "deit": {"image_mean": _IMAGENET[0], "image_std": _IMAGENET[1], **_CUT},
    "dinov2": {"image_mean": _IMAGENET[0], "image_std": _IMAGENET[1], **_CUT},
    "dinov2_with_registers": {"image_mean": _IMAGENET[0], "image_std": _IMAGENET[1], **_CUT},
    "dinov3_vit": {"image_mean": _IMAGENET[0], "image_std": _IMAGENET[1], **_BILINEAR},
    "clip": {
        "image_mean": _CLIP[0],
        "image_std": _CLIP[1],
        "size": {"shortest_edge": 224},
        "do_center_crop": True,
        "crop_size": {"height": 224, "width": 224},
    },
    "siglip": {"image_mean": _HALF[0], "image_std": _HALF[1]},
    "siglip2": {"image_mean": _HALF[0], "image_std": _HALF[1], **_BILINEAR},
}


def told_or_usual(told: Settings | None, family: str) -> Settings:
    """What the file says; without one, what is usual of the family, and what it says nothing of: null is nothing."""
    if told is None:
        return _USUAL[family]
    always = {name: value for name, value in _USUAL[family].items() if name in ("image_mean", "image_std", "resample")}
    return always | {name: value for name, value in told.items() if value is not None}


def resized_otherwise(told: Settings) -> tuple[str, ...]:
    """What is to be said where pictures are not resized there, or by another interpolation."""
    if told.get("do_resize") is False:
        return ("pictures are resized to the model's size (both sides), which do_resize=false leaves to the caller",)
    resample = told.get("resample")
    if resample is None or resample in _RESAMPLE.values():
        return ()
    kinds = {0: "nearest", 1: "Lanczos", 4: "box", 5: "Hamming"}
    there = kinds.get(resample, shown(resample)) if isinstance(resample, int) else shown(resample)
    return (f"pictures are resized by bicubic interpolation, and were there by {there} (resample={shown(resample)})",)


def _interpolation(told: Settings) -> Interpolation:
    return "bilinear" if told.get("resample") == _RESAMPLE["bilinear"] else "bicubic"


class _Resized(NamedTuple):
    """To what size a picture is brought, and how; None for the model's own."""

    size: Size | None
    fit: Fit


def preprocessing_of(told: Settings, spec: ViTSpec, names: Sequence[str]) -> Preprocessing:
    """What a picture goes through before such a model. Raises CheckpointError naming the field that is impossible."""
    resized, crop = _resized(told), _crop(told)
    decoded = spec.img_size
    if crop is not None and resized.size is not None:
        if any(inner > outer for inner, outer in zip(crop, resized.size, strict=True)):
            raise _refused(told, "crop_size", f"larger than size={shown(told['size'])}, which would be padded")
        sides = zip(spec.img_size, resized.size, crop, strict=True)
        rows, columns = (round(side * outer / inner) for side, outer, inner in sides)
        decoded = (rows, columns)
    if decoded[0] * decoded[1] > MAX_PIXELS:
        raise _refused(told, "size", f"{decoded[0]:,} × {decoded[1]:,} pixels, and at most {MAX_PIXELS:,} together")
    ops = (center_crop.Spec(size=spec.img_size),) if decoded != spec.img_size else ()
    mean, std = _statistics(told, spec.in_chans)
    return Preprocessing(decoded, resized.fit, ops, mean, std, tuple(names), interpolation=_interpolation(told))


def _resized(told: Settings) -> _Resized:
    size = told.get("size")
    if size is None or told.get("do_resize") is False:
        return _Resized(None, "squash")
    if isinstance(size, int) and str(told.get("image_processor_type") or _older(told)).startswith(_BY_SHORTER_SIDE):
        size = {"shortest_edge": size}
    if isinstance(size, Mapping) and "shortest_edge" in size:
        return _Resized(_size(told, "size", size["shortest_edge"]), "crop")
    return _Resized(_size(told, "size", size), "squash")


def _older(told: Settings) -> Any:
    return told.get("feature_extractor_type") or ""


def _crop(told: Settings) -> Size | None:
    return _size(told, "crop_size", told.get("crop_size")) if told.get("do_center_crop") else None


def _size(told: Settings, name: str, value: Any) -> Size:
    """Rows and columns, from both or from one number for both."""
    rows, columns = (value.get("height"), value.get("width")) if isinstance(value, Mapping) else (value, value)
    if type(rows) is not int or type(columns) is not int or min(rows, columns) < 1:
        raise _refused(told, name, "possible: a number, height and width, or shortest_edge for size")
    return rows, columns


def _statistics(told: Settings, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of values from 0 to 1, which are there multiplied by another number than 1/255."""
    scale = _scale(told)
    if told.get("do_normalize") is False:
        return (0.0,) * channels, (1 / scale,) * channels
    mean, std = (_of_channels(told, name, channels) for name in ("image_mean", "image_std"))
    if min(std) <= 0:
        raise _refused(told, "image_std", "must be positive")
    return tuple(each / scale for each in mean), tuple(each / scale for each in std)


def _scale(told: Settings) -> float:
    """What a white pixel is before it is normalised; 1 as a rule."""
    if told.get("do_rescale") is False:
        return float(_BYTE)
    factor = told.get("rescale_factor", 1 / _BYTE)
    if not isinstance(factor, int | float) or not _SMALLEST < factor < 1 / _SMALLEST:
        raise _refused(told, "rescale_factor", f"expected a number between {_SMALLEST:g} and {1 / _SMALLEST:g}")
    return 1.0 if abs(factor * _BYTE - 1) < _ROUNDING else factor * _BYTE


def _of_channels(told: Settings, name: str, channels: int) -> tuple[float, ...]:
    value = told.get(name)
    values = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in values):
        raise _refused(told, name, "expected numbers")
    if len(set(values)) == 1:  # three for a model of grey pictures, or one for all
        values = values[:1] * channels
    if len(values) != channels:
        raise _refused(told, name, f"the model takes {channels} channels")
    return tuple(map(float, values))


def _refused(told: Settings, name: str, why: str) -> CheckpointError:
    return CheckpointError(f"{FILE}: {name}={shown(told.get(name))}: {why}")


# ------------------------------------------------------------------------------------------------------------- and back


def preprocessor_config(preprocessing: Preprocessing) -> dict[str, Any]:
    """The preprocessor_config.json of ours, for transformers' `AutoImageProcessor`.

    Raises CheckpointError for what none of its processors does.
    """
    size, crop = preprocessing.img_size, _cropped(preprocessing)
    statistics = {"image_mean": list(preprocessing.mean), "image_std": list(preprocessing.std)}
    always = {
        "do_resize": True,
        "resample": _RESAMPLE[preprocessing.interpolation],
        "do_rescale": True,
        "rescale_factor": 1 / _BYTE,
    }
    told = {**always, "do_normalize": True, **statistics}
    if preprocessing.fit == "squash":
        by_sides = {"size": _named(size), **({"do_center_crop": True, "crop_size": _named(crop)} if crop else {})}
        return {"image_processor_type": "CLIPImageProcessor" if crop else "ViTImageProcessor", **told, **by_sides}
    if preprocessing.fit != "crop" or size[0] != size[1]:
        fit = f"fit={preprocessing.fit} to {size[0]} × {size[1]} pixels"
        raise CheckpointError(f"transformers has no preprocessing with {fit}; possible: squash, or crop to a square")
    by_shorter_side = {"size": {"shortest_edge": size[0]}, "do_center_crop": True, "crop_size": _named(crop or size)}
    return {"image_processor_type": "CLIPImageProcessor", **told, **by_shorter_side}


def _cropped(preprocessing: Preprocessing) -> Size | None:
    """The size of the middle that is cut out, if that is done and nothing else."""
    if preprocessing.white is not None:
        raise CheckpointError(f"transformers has no preprocessing with white={preprocessing.white:g}")
    sizes = [op.size for op in preprocessing.ops if isinstance(op, center_crop.Spec)]
    if len(preprocessing.ops) > 1 or len(sizes) < len(preprocessing.ops):
        ops = ", ".join(op.name for op in preprocessing.ops)
        raise CheckpointError(f"transformers has no preprocessing with {ops}; possible: one center_crop, or none")
    return sizes[0] if sizes else None


def _named(size: Size) -> dict[str, int]:
    return {"height": size[0], "width": size[1]}
