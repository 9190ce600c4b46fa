"""Trained weights, fine-tuned on pictures of your own; without --data on Imagenette.

    vitlab train finetune --data FOLDER --init SOURCE --out runs/finetuned

SOURCE is a run, or what others published: a file, a folder, hub:ORG/NAME (`vitlab convert` says what would be read).
The model is the source's, with a new head that starts from zero; pictures are prepared as they were there: the same
size, fit, interpolation, mean and deviation. AdamW; the head learns at 1e-3, the last block at a fifth of that, and
each layer before it at three quarters of the next one's (layer-wise decay: arXiv 2106.08254, 2111.06377). The more
pictures there are, the fewer passes are made: 30 over up to a thousand of them, 4 over more than a hundred thousand. A
tenth is for validation, and the last step counts. `--set optim.frozen='["patch_embed.*", "blocks.[0-5].*"]'` leaves
layers as they are, `--set optim.backbone_lr=0` all but the head; `--set data.img_size=384` takes larger pictures of a
folder.
"""

from dataclasses import replace
from typing import Any

from vitlab.augment.ops import flip, original_crop, resize
from vitlab.base.errors import SpecError
from vitlab.base.words import counted
from vitlab.checkpoints import trained
from vitlab.data.named import data_named
from vitlab.data.sets import parquet
from vitlab.data.sets._base import DataSpec
from vitlab.models.presets import prepared
from vitlab.models.spec import ViTSpec, preset
from vitlab.optim.schedule import cosine
from vitlab.preprocessing import Preprocessing
from vitlab.recipes import NOTHING, Given
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec
from vitlab.train.start import checkpoint, scratch

PLAIN = "vit_base_patch16_224"  # what is shown of the recipe where no source is given
PASSES = ((1_000, 30.0), (10_000, 15.0), (100_000, 8.0))  # over up to so many pictures; over more of them:
FEWEST = 4.0


def passes(pictures: int | None) -> float:
    """How often so many training pictures are seen."""
    return next((passes for most, passes in PASSES if (pictures or 0) <= most), FEWEST)


def spec(given: Given = NOTHING) -> RunSpec:
    """The source's model on the user's pictures."""
    model, before = _source(given)
    data = _data(given, model, before)
    if given.init and data.in_chans != model.in_chans:
        channels = f"{counted(data.in_chans, 'channel')}, and the model of {given.init} takes {model.in_chans}"
        raise SpecError(f"data={data.name} has images of {channels}: a folder's images get as many as the model takes")
    size = _size(given, model)
    decoded_so = data.img_size == size
    interpolation = before.interpolation if before else data.interpolation
    return RunSpec(
        model=replace(model, img_size=size, in_chans=data.in_chans, num_classes=data.num_classes or 1),
        data=data,
        augment=(original_crop.Spec(size=None if decoded_so else size, scale=(0.25, 1.0)), flip.Spec()),
        preprocess=() if decoded_so else (resize.Spec(size=size, interpolation=interpolation),),
        task=classify.Spec(label_smoothing=0.1),
        batch_size=32,
        epochs=passes(data.count_train()),
        optim=OptimSpec(
            lr=1e-3,
            backbone_lr=2e-4,
            layer_decay=0.75,
            weight_decay=0.05,
            clip_norm=1.0,
            schedule=cosine.Spec(warmup_epochs=1),
        ),
        start=checkpoint.Spec(path=given.init, head="zero") if given.init else scratch.Spec(),
    )


def _source(given: Given) -> tuple[ViTSpec, Preprocessing | None]:
    """The model of the weights, and what pictures went through before it."""
    if not given.init:
        given.say(f"no --init SOURCE, so nothing is fine-tuned: a {PLAIN} is trained from scratch")
        return preset(PLAIN), None
    source = trained.load_without_head(given.init)
    for note in source.notes:
        given.say(note)
    return source.model.spec, source.preprocessing


def _data(given: Given, model: ViTSpec, before: Preprocessing | None) -> DataSpec:
    """The user's pictures, prepared as the source's were: of its size where they may be of any, in any case of its mean
    and deviation.
    """
    usual = before or prepared(PLAIN)
    how: dict[str, Any] = {"mean": usual.mean, "std": usual.std}
    if before:
        how |= {"fit": before.fit, "interpolation": before.interpolation}
    data, own = given.settings.get("data"), given.inside("data")
    if data is None:
        return parquet.Spec(path="imagenette96", img_size=_size(given, model), num_classes=10, **how)
    if isinstance(data, DataSpec):
        return data
    kept = {"img_size": model.img_size, "in_chans": model.in_chans, **how}
    chosen = data_named(data, kept, own)
    settled = {"mean", "std"} & own.keys() or len(chosen.mean) != len(usual.mean)
    return chosen if settled else replace(chosen, mean=usual.mean, std=usual.std)


def _size(given: Given, model: ViTSpec) -> tuple[int, int]:
    """The model's, unless the user wants pictures of another size."""
    asked = given.settings.get("model.img_size", given.settings.get("data.img_size"))
    if asked is None:
        return model.img_size
    return (asked, asked) if isinstance(asked, int) else (int(asked[0]), int(asked[1]))
