"""What a run's records say of its pictures: how many there are, and what each goes through."""

from collections.abc import Sequence
from typing import Any

from vitlab.base.spec import to_dict
from vitlab.data.images import ImageSet
from vitlab.train.spec import RunSpec


def preprocessing_of(spec: RunSpec, images: ImageSet) -> dict[str, Any]:
    """What a picture goes through before the model, and what its answers are called.

    It is decoded to `img_size` as `fit` says, goes through `ops`, and is normalised.
    """
    return {
        "img_size": list(spec.data.img_size),
        "fit": images.fit,
        "ops": [to_dict(op) for op in spec.preprocess],
        "mean": list(images.mean),
        "std": list(images.std),
        "class_names": list(images.class_names),
    }


def data_of(images: ImageSet, train: int, val: int, unreadable: Sequence[str]) -> dict[str, Any]:
    """How many pictures there are, which of them could not be read, and whether their order is exact.

    `train`, `val`: into how many the training pictures are divided. `unreadable`: names of those that were met, beside
    those that the set knows of.
    """
    names = {split: sorted(images.unreadable.get(split, ())) for split in ("train", "test")}
    names["train"] = sorted({*names["train"], *unreadable})
    counts = {"train": train, "test": len(images.test)}
    splits = {s: {"images": counts[s], "unreadable": len(names[s]), "names": names[s]} for s in names}
    return {"order": images.order, **splits, "val": {"images": val}}
