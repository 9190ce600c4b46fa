"""Which of the training pictures a run trains on, and which it keeps for validation."""

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.data.images import ImageSet, Pictures
from vitlab.data.splits import carve
from vitlab.data.stream import Stream
from vitlab.train.spec import RunSpec


def divided(spec: RunSpec, images: ImageSet) -> tuple[Tensor, Pictures]:
    """The indices to train on, none of a stream, and the validation split."""
    if isinstance(images.train, Stream):
        if spec.val_fraction > 0:
            raise SpecError(
                f"val_fraction={spec.val_fraction} and data.streaming=True: nothing can be carved out of a stream; "
                "set val_fraction=0"
            )
        none = torch.arange(0)
        return none, images.test.subset(none)
    train, val = carve(images.train.labels, spec.val_fraction, spec.val_seed)
    return train, images.train.subset(val)
