"""A trained model with all that it takes to use it: from a run, a checkpoint folder, or somebody else's checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import torch
from torch import Tensor, nn

from vitlab.base.errors import CheckpointError, NoModule, SpecError
from vitlab.base.spec import Spec, from_dict, with_settings
from vitlab.base.words import some
from vitlab.checkpoints import native, published
from vitlab.data.in_hand import Picture
from vitlab.data.sets._base import DataSpec
from vitlab.learner import Learner
from vitlab.models.cost import num_params
from vitlab.models.resizing import adapted, resized, told
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.nn.resizing import Resizing
from vitlab.preprocessing import Preprocessing
from vitlab.tasks import classify
from vitlab.tasks._base import TaskSpec

T = TypeVar("T", bound=Spec)
_BEYOND = 4  # times the largest value of a prepared image: what is larger was not normalised
_RANDOM = 16.0  # what people try a model with, torch.randn, stays below it


class EquippedViT(ViT):
    """A ViT that knows what a picture goes through before it, what its classes are called, its `task`, and
    where somebody else's weights came from, with what had to be assumed of them (`notes`):

        logits = model(model.prepare(["cat.jpg"]))

    What was not prepared is refused, as far as it can be seen: bytes, values up to 255, an image without a batch.
    """

    def __init__(self, spec: ViTSpec, preprocessing: Preprocessing, task: TaskSpec, notes: tuple[str, ...] = ()):
        super().__init__(spec)
        self.preprocessing, self.task, self.notes = preprocessing, task, notes

    @property
    def class_names(self) -> tuple[str, ...]:
        """What each logit is of; empty for a model without a head."""
        return self.preprocessing.class_names if self.spec.num_classes else ()

    def prepare(self, pictures: Sequence[Picture]) -> Tensor:
        """Paths, Pillow's pictures or 8-bit arrays [H, W, C] -> images [n, C, height, width], where the model is.

        Raises DataError for what is no picture, Unreadable for a file that cannot be decoded.
        """
        like = next(self.parameters())
        return self.preprocessing.prepare(pictures).to(like.device, like.dtype)

    def forward(self, images: Tensor, keys: Tensor | None = None) -> Tensor:
        """[B, C, height, width] -> logits [B, Y]. Raises SpecError for images that were not prepared."""
        check_prepared(images, max(_BEYOND * self.preprocessing.largest_value, _RANDOM))
        return super().forward(images, keys)


def check_prepared(images: Tensor, largest: float) -> None:
    """Refuse what a model can be handed by mistake in place of a batch of prepared images, of which no value is beyond
    `largest`. Raises SpecError.
    """
    remedy = "model.prepare([…]) makes images of pictures"
    if not isinstance(images, Tensor):
        raise SpecError(f"a {type(images).__name__} is no batch of images; {remedy}")
    if images.ndim == 3:
        raise SpecError(f"images of shape {list(images.shape)} have no batch axis: image[None] is a batch of one")
    if not images.is_floating_point():
        raise SpecError(f"images of {images.dtype} were not normalised; {remedy}")
    recorded = torch.compiler.is_compiling() or torch.jit.is_tracing()
    if recorded or images.device.type != "cpu" or not images.numel():  # a look at the values would make a GPU wait
        return
    if (value := float(images.detach().abs().amax())) > largest:
        raise SpecError(f"images with values up to {value:g} were not normalised; {remedy}")


@dataclass(frozen=True)
class Trained:
    """A model and the task that it has learned, in float32 on the CPU.

    `data` is what it was trained on, None where no run of ours trained it. `noise_seed` is a number where the run is
    evaluated with dropout: a slip of published code. `notes` tell of somebody else's weights where they came from.
    """

    learner: Learner
    task: TaskSpec
    preprocessing: Preprocessing
    data: DataSpec | None
    noise_seed: int | None
    notes: tuple[str, ...] = ()

    @property
    def model(self) -> EquippedViT:
        """The model alone."""
        return cast(EquippedViT, self.learner.model)


def load(path: str | Path, model: str = "", settings: Mapping[str, Any] = published.NONE) -> Trained:
    """What stands at `path`: a run directory, of which it is the best or latest checkpoint, a checkpoint folder, or
    what somebody else has written. Of this alone a preset's name and `settings` may tell what its tensors do not
    (`checkpoints.published.read`).

    Raises CheckpointError if there is none or it is damaged.
    """
    if not native.is_ours(Path(path)):
        return of_published(published.read(path, model=model, settings=settings))
    if model or settings:
        raise CheckpointError(f"{path} is vitlab's own, and tells all of its model: nothing can be set")
    return _of_ours(Path(path))


def load_without_head(path: str | Path) -> Trained:
    """The same, but for the classifier of what somebody else wrote, which may be of any kind: it is to begin anew."""
    return load(path) if native.is_ours(Path(path)) else load(path, settings={"num_classes": 0, "head": "linear"})


@dataclass(frozen=True)
class OtherSize(Spec):
    """Images of another size, [rows, columns], and what is done to a model for them, as where a training starts:
    computed `positions` are stretched or run on; tables are resized by `interpolation`, with `antialias` or without.
    """

    img_size: tuple[int, int]
    positions: Literal["stretched", "run_on"] = "stretched"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    antialias: bool = True


def at_size(trained: Trained, other: OtherSize) -> Trained:
    """The same model for images of another size: positions resized or stretched (`models.resizing`), and pictures
    prepared accordingly. Raises SpecError where the model cannot be of that size.
    """
    before, size = trained.model.spec, other.img_size
    after = with_settings(before, {"img_size": list(size)})
    after = adapted(after, before) if other.positions == "stretched" else after
    preprocessing = trained.preprocessing.at_size(before.img_size, size)
    tensors = trained.model.state_dict()
    changed = resized(tensors, before, after, Resizing(other.interpolation, other.antialias))
    learner = Learner(EquippedViT(after, preprocessing, trained.task, trained.notes), trained.task.build(after))
    _check_resized(changed, learner.model, size)
    _fill(learner.model, changed, Path("the model at this size"))
    _fill(learner.task, trained.learner.task.state_dict(), Path("the task at this size"))
    notes = (*trained.notes, *told(tensors, changed, before, after))
    return replace(trained, learner=learner, preprocessing=preprocessing, notes=notes)


def _check_resized(tensors: Mapping[str, Tensor], model: nn.Module, size: tuple[int, int]) -> None:
    """Refuse a part whose tensors are of one number of patches and have no other."""
    wanted = model.state_dict()
    fixed = [name for name, tensor in tensors.items() if tensor.shape != wanted[name].shape]
    if fixed:
        raise SpecError(f"img_size={list(size)}: the model cannot be of another size, because of {some(fixed)}")


def of_published(found: published.Published) -> Trained:
    """Somebody else's checkpoint as a trained model, whose task is to classify."""
    task = classify.Spec()
    learner = Learner(EquippedViT(found.spec, found.preprocessing, task, found.notes), task.build(found.spec))
    learner.model.load_state_dict(found.tensors)
    return Trained(learner, task, found.preprocessing, None, None, found.notes)


def _of_ours(path: Path) -> Trained:
    checkpoint = native.load_at(path)
    folder, meta = checkpoint.folder, checkpoint.meta
    spec, task = _read(ViTSpec, meta.model, folder), _read(TaskSpec, meta.task, folder)
    preprocessing = _read(Preprocessing, meta.preprocessing, folder)
    _check_size(spec, checkpoint.tensors.model, folder)
    learner = Learner(EquippedViT(spec, preprocessing, task), task.build(spec))
    _fill(learner.model, checkpoint.tensors.model, folder)
    _fill(learner.task, checkpoint.tensors.task, folder)
    data = None if meta.data is None else _read(DataSpec, meta.data, folder)
    return Trained(learner, task, preprocessing, data, meta.noise_seed, tuple(meta.origin))


def _read(cls: type[T], values: Mapping[str, Any], folder: Path) -> T:
    try:
        return from_dict(cls, values)
    except NoModule as error:
        raise CheckpointError(f"{folder} needs a module of somebody's own: {error}") from None
    except SpecError as error:
        raise CheckpointError(f"{folder / 'meta.json'} is damaged: {error}") from None


def _check_size(spec: ViTSpec, tensors: Mapping[str, Tensor], folder: Path) -> None:
    """Build no model that is larger than what it is to be filled with."""
    wanted, there = num_params(spec), sum(tensor.numel() for tensor in tensors.values())
    if wanted > there:
        raise CheckpointError(f"{folder} does not fit its own settings: {there:,} of {wanted:,} weights")


def _fill(module: nn.Module, tensors: Mapping[str, Any], folder: Path) -> None:
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{folder} does not fit its own settings: {error}") from error
