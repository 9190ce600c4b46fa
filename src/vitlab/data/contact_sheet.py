"""A contact sheet: the first pictures of every class."""

import numpy as np

from vitlab.data.images import ImageSet, Pictures, Stream


def contact_sheet(images: ImageSet, count: int) -> dict[str, dict[str, list[np.ndarray]]]:
    """By class and split the first `count` pictures, [H, W, C] uint8 each; a stream has none to be shown."""
    indexed: dict[str, Pictures] = {"test": images.test}
    if images.val is not None:
        indexed = {"val": images.val, **indexed}
    if not isinstance(images.train, Stream):
        indexed = {"train": images.train, **indexed}
    return {
        name: {split: _first(pictures, label, count) for split, pictures in indexed.items()}
        for label, name in enumerate(images.class_names)
    }


def _first(pictures: Pictures, label: int, count: int) -> list[np.ndarray]:
    places = (pictures.labels == label).nonzero().flatten()[:count]
    return list(pictures.ask(places)().permute(0, 2, 3, 1).numpy()) if len(places) else []
