"""The split of the training pictures: which a run trains on, and which it keeps for validation."""

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.data.images import ImageSet, Pictures, Stream
from vitlab.data.splits import carve
from vitlab.train.spec import RunSpec


def split_training(spec: RunSpec, images: ImageSet) -> tuple[Tensor, Pictures]:
    """The indices to train on, none of a stream, and the validation split."""
    if isinstance(images.train, Stream):
        if spec.val_fraction > 0:
            raise SpecError(
                f"val_fraction={spec.val_fraction} and data.streaming=True: a stream cannot be split; "
                "set val_fraction=0"
            )
        none = torch.arange(0)
        return none, images.test.subset(none)
    train, val = carve(images.train.labels, spec.val_fraction, spec.val_seed)
    return train, images.train.subset(val)
