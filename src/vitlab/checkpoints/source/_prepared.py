"""How pictures were prepared, of sources that did it alike."""

from vitlab.checkpoints.source._base import Content, class_names, cropped, of_channels
from vitlab.data.decode import Interpolation
from vitlab.data.sets._pictures import IMAGENET_MEAN, IMAGENET_STD
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing

CROP = 224 / 256  # the share of a side that evaluations of ImageNet cut out
_LARGE = 224  # pixels a side, above which some cut nothing off


def imagenet_preprocessing(
    content: Content, spec: ViTSpec, crop: float, interpolation: Interpolation = "bicubic"
) -> Preprocessing:
    """The middle of a picture, normalised by the statistics of ImageNet."""
    mean, std = (of_channels(values, spec.in_chans) for values in (IMAGENET_MEAN, IMAGENET_STD))
    names = class_names(content, spec.num_classes)
    return cropped(spec.img_size, crop, mean, std, names, interpolation=interpolation)


def imagenet_preprocessing_whole_if_large(content: Content, spec: ViTSpec) -> Preprocessing:
    """The same, of which nothing is cut off above 224 pixels a side."""
    return imagenet_preprocessing(content, spec, 1.0 if is_large(spec) else CROP)


def is_large(spec: ViTSpec) -> bool:
    """Whether images have more than 224 pixels a side."""
    return max(spec.img_size) > _LARGE


def half_preprocessing(content: Content, spec: ViTSpec) -> Preprocessing:
    """Resized to the size of the model, whatever the sides, bilinearly, and normalised to [-1, 1]."""
    half = (0.5,) * spec.in_chans
    return cropped(spec.img_size, 1.0, half, half, class_names(content, spec.num_classes), "squash", "bilinear")
