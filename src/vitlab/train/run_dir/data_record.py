"""The record of a run's pictures, as far as they are known."""

from collections.abc import Sequence

from vitlab.data.images import ImageSet
from vitlab.records.run import DataRecord, SplitRecord


def data_record(images: ImageSet, train: int, val: int, unreadable: Sequence[str]) -> DataRecord:
    """`train`, `val`: into how many the training pictures are split. `unreadable`: names of those that were met, beside
    those that the set knows of.
    """
    names = {split: sorted(images.unreadable.get(split, ())) for split in ("train", "test")}
    names["train"] = sorted({*names["train"], *unreadable})
    counts = {"train": train, "test": len(images.test)}
    splits = {split: SplitRecord(counts[split], len(names[split]), tuple(names[split])) for split in counts}
    return DataRecord(images.order, splits["train"], SplitRecord(val), splits["test"], tuple(images.class_names))
