"""The record of a run's pictures, as far as they are known."""

from collections.abc import Sequence

from vitlab.data.images import ImageSet
from vitlab.records.data import DataRecord, SplitRecord


def data_record(images: ImageSet, train: int, val: int, unreadable: Sequence[str]) -> DataRecord:
    """`train`, `val`: how many pictures are trained on and validated with. `unreadable`: names of those that were met,
    beside those that the set knows of.
    """
    names = {split: sorted(images.unreadable.get(split, ())) for split in ("train", "val", "test")}
    names["train"] = sorted({*names["train"], *unreadable})
    counts = {"train": train, "val": val, "test": len(images.test)}
    splits = {split: SplitRecord(counts[split], len(names[split]), tuple(names[split])) for split in counts}
    return DataRecord(images.order, **splits, classes=tuple(images.class_names), found=images.found)
