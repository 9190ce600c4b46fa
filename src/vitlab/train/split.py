"""The split of the training pictures: which a run trains on, and which it keeps for validation."""

import torch
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.data.images import ImageSet, Pictures, Stream
from vitlab.data.splits import balanced, carve, share
from vitlab.train.spec import RunSpec


def split_training(spec: RunSpec, images: ImageSet) -> tuple[Tensor, Pictures]:
    """The indices to train on, none of a stream, and the validation split: the set's own, or a part of the training's.

    Without a `val_fraction` nothing is validated, and a validation split of the set is left alone.
    """
    nothing = torch.arange(0)
    own = images.val if spec.val_fraction > 0 else images.test.subset(nothing)
    if isinstance(images.train, Stream):
        if spec.data.train_fraction < 1 or spec.sampling != "every_image":
            raise SpecError(
                "data.streaming=True: a stream is read whole: data.train_fraction and sampling stay as usual"
            )
        if own is None:
            raise SpecError(
                f"val_fraction={spec.val_fraction} and data.streaming=True: a stream cannot be split; "
                "set val_fraction=0"
            )
        return nothing, own
    labels = images.train.labels.cpu()
    if own is None:
        train, carved = carve(labels, spec.val_fraction, spec.val_seed)
        own = images.train.subset(carved)
    else:
        train = torch.arange(len(labels))
    if spec.weights == "best" and not len(own):
        raise SpecError("weights=best chooses by validation pictures, and none are left: set weights=last")
    train = train[share(labels[train], spec.data.train_fraction)]
    return (train[balanced(labels[train])] if spec.sampling == "balanced_classes" else train), own
