"""The data path as torchvision's users write it: one picture at a time, as a DataLoader's worker does."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.train.spec import RunSpec


def augmentation(spec: RunSpec) -> Callable[[Sequence[Tensor], Tensor], Any]:
    """A function of pictures, each [C, H, W] uint8, and labels [B]: counterparts of a run's operations, normalisation.

    Raises ImportError without torchvision, UserError for an operation that it does not have.
    """
    from torchvision.transforms import v2

    pixels = [_transform(op, spec) for op in spec.augment if op.stage == "pixels"]
    normalise = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(spec.data.mean), list(spec.data.std))]
    normalised = [_transform(op, spec) for op in spec.augment if op.stage == "normalised"]
    transform = v2.Compose([*pixels, *normalise, *normalised])
    mixing = [_mixing(op, spec.model.num_classes) for op in spec.augment if op.stage == "batch"]

    def batch(pictures: Sequence[Tensor], labels: Tensor) -> Any:
        images = torch.stack([transform(picture) for picture in pictures])
        for mix in mixing:
            images, labels = mix(images, labels)
        return images, labels

    return batch


def _transform(op: Any, spec: RunSpec) -> Any:
    """torchvision's counterpart of an operation on single pictures."""
    from torchvision.transforms import InterpolationMode, v2

    size = getattr(op, "size", None) or spec.model.img_size

    def inception() -> Any:
        return v2.RandomResizedCrop(size, op.scale, op.ratio, InterpolationMode(op.interpolation))

    make: dict[str, Callable[[], Any]] = {
        "crop": lambda: v2.RandomCrop(size, op.padding, padding_mode="reflect" if op.fill == "reflect" else "constant"),
        "flip": lambda: v2.RandomHorizontalFlip(op.p),
        "erase": lambda: v2.RandomErasing(op.p, op.area, op.aspect),
        "resize": lambda: v2.Resize(op.size, InterpolationMode(op.interpolation)),
        "center_crop": lambda: v2.CenterCrop(op.size),
        **dict.fromkeys(("resized_crop", "original_crop"), inception),
        "rotate": lambda: v2.RandomRotation(op.degrees),
        "auto_augment": lambda: v2.AutoAugment(v2.AutoAugmentPolicy(op.policy), fill=op.fill),
        "rand_augment": lambda: v2.RandAugment(op.num_ops, round(op.magnitude * 30 / op.scale), 31, fill=op.fill),
        "color_jitter": lambda: v2.ColorJitter(op.brightness, op.contrast, op.saturation, op.hue),
    }
    if op.name not in make:
        raise UserError(f"--against torchvision: it has no counterpart of {op.name}")
    return make[op.name]()


def _mixing(op: Any, num_classes: int) -> Any:
    from torchvision.transforms import v2

    kinds = []
    if op.cutmix_alpha:
        kinds.append(v2.CutMix(alpha=op.cutmix_alpha, num_classes=num_classes))
    if op.mixup_alpha:
        kinds.append(v2.MixUp(alpha=op.mixup_alpha, num_classes=num_classes))
    return v2.RandomApply([v2.RandomChoice(kinds)], p=op.prob)


def decoders(spec: RunSpec) -> dict[str, Callable[[bytes], Tensor]]:
    """Functions of a picture's bytes: [3, H, W] uint8, the shorter side resized, then the centre cut out; or a run's
    crop of the picture as it is stored.

    With Pillow, as `ImageFolder` does, and with `torchvision.io`. Raises ImportError without torchvision.
    """
    import io

    from PIL import Image
    from torchvision.io import ImageReadMode, decode_image
    from torchvision.transforms import InterpolationMode, v2

    warnings.filterwarnings("ignore", message="The image decoding")  # of a coming removal, with every picture
    size = spec.data.img_size
    fit = v2.Compose([v2.Resize(min(size), InterpolationMode.BICUBIC, antialias=True), v2.CenterCrop(size)])
    for op in spec.augment[:1]:
        fit = _transform(op, spec) if op.stage == "stored" else fit
    to_tensor = v2.PILToTensor()

    def by_pillow(data: bytes) -> Tensor:
        return to_tensor(fit(Image.open(io.BytesIO(data)).convert("RGB")))

    def by_torchvision(data: bytes) -> Tensor:
        return fit(decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB))

    return {"Pillow": by_pillow, "torchvision.io": by_torchvision}


def all_decoded(decoder: Callable[[bytes], Tensor], stored: Sequence[bytes]) -> list[Tensor]:
    """Every picture, one after another."""
    return [decoder(data) for data in stored]
