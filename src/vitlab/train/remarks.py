"""Remarks before a training: what a person would want to know before, and not after."""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from vitlab.augment.ops._base import OpSpec
from vitlab.base.spec import to_dict
from vitlab.base.words import counted, some
from vitlab.data.images import ImageSet, Pictures
from vitlab.records.data import DataRecord
from vitlab.records.run import RunDeclaration, run_at
from vitlab.stats.majority import majority
from vitlab.train.spec import RunSpec

_FEW = 50  # steps in which next to nothing is learned
_SHOWN = 3  # changes in a sentence


def remarks(spec: RunSpec, images: ImageSet, indices: Tensor, val: Pictures, total_steps: int) -> Iterator[str]:
    """A sentence for each thing that is not as one might think."""
    if images.val is not None and spec.val_fraction == 0:
        yield f"the set's own validation split, {counted(len(images.val), 'picture')}, is left alone: val_fraction=0"
    if images.val is not None and spec.val_fraction > 0:
        yield f"validation is the set's own split, {counted(len(images.val), 'picture')}; nothing is carved out"
    if spec.data.train_fraction < 1 and len(indices):
        yield f"data.train_fraction={spec.data.train_fraction:g}: {counted(len(indices), 'picture')} to train on"
    if images.val is None and spec.val_fraction and len(indices) and not len(val):
        yield "no picture is left for validation: with one picture a class is trained on and not validated"
    if images.val is None and len(val) and spec.task.needs_labels:
        yield from _not_validated(images, indices, val)
    if len(indices) and spec.task.needs_labels:
        yield from _uneven(spec, images, indices)
    yield from _of_start(spec, images)
    if spec.model.depth == 1 and spec.model.drop_path:
        rate = spec.model.drop_path
        yield f"model.drop_path={rate:g} does nothing: its rate is 0 at the first block, and there is one"
    for op in spec.augment:
        if op.idle:
            yield f"augment has {op.name}, which does nothing: {_zeros(op)}"
    if total_steps < _FEW:
        pictures = f", {counted(len(indices), 'picture')}" if len(indices) else ""
        length = f" (epochs={spec.epochs:g}{pictures})" if spec.epochs else ""
        yield f"{counted(total_steps, 'step')} of training in all{length}: too few to learn much"


def _zeros(op: OpSpec) -> str:
    """The settings of an operation that are zero, as they are typed: what leaves it out is one of them."""
    return ", ".join(f"{name}=0" for name, value in to_dict(op).items() if value == 0)


def _not_validated(images: ImageSet, indices: Tensor, val: Pictures) -> Iterator[str]:
    """Classes that are trained on and have no validation picture."""
    trained = images.train.labels.cpu()[indices.cpu()].unique()  # type: ignore[union-attr]  # a stream has no carved split
    missing = trained[~torch.isin(trained, val.labels.cpu())].tolist()
    if missing:
        names = some([images.class_names[label] for label in missing])
        yield f"no validation picture of {names}: with one picture a class is trained on and not validated"


def _of_start(spec: RunSpec, images: ImageSet) -> Iterator[str]:
    """Pictures held out here that the weights to start from may have been trained on: a set divided otherwise."""
    path = getattr(spec.start, "path", None)
    source = None if path is None else run_at(Path(path))
    theirs = None if source is None else DataRecord.read_if_there(source)
    if source is None or theirs is None or theirs.found is None or images.found is None:
        return
    if set(theirs.classes) != set(images.class_names):
        return
    changes = theirs.found.changes(images.found)
    if changes:
        yield (
            f"start.path={path} was trained on other pictures of these classes ({'; '.join(changes[:_SHOWN])}): "
            "pictures that are held out here may be among them"
        )
        return
    before = RunDeclaration.read(source).spec
    differ = [name for name in ("val_fraction", "val_seed") if before.get(name) != getattr(spec, name)]
    if differ and spec.val_fraction and images.val is None:
        wanted = " and ".join(f"{name}={before.get(name)}" for name in differ)
        yield (
            f"start.path={path} was trained on pictures that are held out for validation here: set {wanted}, as there"
        )


def _uneven(spec: RunSpec, images: ImageSet, indices: Tensor) -> Iterator[str]:
    """Classes of which some are far rarer than others, and what evens them out; or that it is done twice."""
    weights = getattr(spec.task, "class_weights", None)  # None: a task without this setting
    sampled, weighted = spec.sampling == "balanced_classes", weights not in (None, "none")
    if sampled and weighted:
        yield (
            f"sampling={spec.sampling} and task.class_weights={weights} do the same thing twice: rarer classes count "
            "for more than others"
        )
    elif not (sampled or weighted):
        yield from _far_rarer(images, indices, with_weights=weights is not None)


def _far_rarer(images: ImageSet, indices: Tensor, with_weights: bool) -> Iterator[str]:
    """The largest and the smallest class that is trained on, where they are far apart, and the settings for that."""
    counts = torch.bincount(images.train.labels.cpu()[indices.cpu()]).tolist()  # type: ignore[union-attr]  # no stream
    occurring = {name: count for name, count in zip(images.class_names, counts, strict=False) if count}
    if (largest := majority(occurring)) is not None:
        rarest = min(occurring, key=occurring.__getitem__)
        settings = "sampling=balanced_classes" + (" or task.class_weights=balanced" if with_weights else "")
        yield (
            f"uneven classes, {counted(occurring[largest.name], 'picture')} of {largest.name} and "
            f"{occurring[rarest]:,} of {rarest}: {settings} lets each count alike"
        )
