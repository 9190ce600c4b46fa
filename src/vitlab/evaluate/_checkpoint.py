"""A checkpoint's score, measured again: on the data that it was trained on, or on other data."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from vitlab.augment.ops import resize
from vitlab.base.errors import DataError, UserError
from vitlab.base.metric import Metric
from vitlab.base.spec import to_dict
from vitlab.base.words import some
from vitlab.checkpoints.source._base import are_numbers
from vitlab.checkpoints.trained import OtherSize, Trained, at_size, load
from vitlab.data.images import ImageSet, Pictures, relabelled
from vitlab.data.named import data_named, same_place, settings_of
from vitlab.data.sets._base import DataSpec
from vitlab.devices import pick_device
from vitlab.evaluate import scores
from vitlab.evaluate._base import Evaluation, Split, Subject
from vitlab.learner import features_of_one, scores_of_one
from vitlab.models.sites import Call, wrap
from vitlab.models.spec import ViTSpec
from vitlab.nn.kernel import Kernel, use_kernel
from vitlab.preprocessing import Preprocessing
from vitlab.records.data import DataRecord
from vitlab.records.run import run_at
from vitlab.stats.by_class import ClassRecall, by_class
from vitlab.stats.majority import Majority, majority

Among = Literal["all", "present"]
_SHOWN = 3  # changes in a message
_AS_PREPARED = ("img_size", "fit", "interpolation", "white", "mean", "std")  # settings of data, and of a preprocessing
_WHICHEVER = ("max_pixels", "max_unreadable")  # settings of data that hold for any set


class Computing(NamedTuple):
    """How a model is computed: as it was in training, where that is known."""

    dtype: torch.dtype = torch.float32
    kernel: Kernel | None = "explicit"


class Score(NamedTuple):
    """The metrics of the test images by the names that records have, what these are, and how many images there are.

    `classes` are those of the images, out of the `known` classes of the model; `among` says whether an image was
    classified among all of these, or among those that are present. `by_class` has each of them, if the task classifies.
    `data`: what was found in another set, a sentence each; `notes`: what was done to the model.
    """

    values: dict[str, float]
    metrics: dict[str, Metric]
    images: int
    classes: tuple[str, ...]
    known: tuple[str, ...]
    among: Among
    by_class: tuple[ClassRecall, ...]
    data: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def majority(self) -> Majority | None:
        """The largest class of the images, where they are uneven."""
        return majority({each.name: each.images for each in self.by_class})


def evaluate_checkpoint(
    path: str | Path,
    data: str | DataSpec | None = None,
    device: str | None = None,
    computing: Computing = Computing(),
    among: Among = "all",
    own: Mapping[str, Any] = {},
    size: OtherSize | None = None,
) -> Score:
    """The task's metrics on the held-out pictures of `data`, or all of them where none are held out; without it on the
    test split of what the model was trained on. `own` are settings of the set that a text names.

    `path` is a run directory or a checkpoint folder, which is enough, or somebody else's weights; with `size` the
    model is resized to images of that size. Classes are matched by name; the data may lack
    some, and with `among` "present" an image is classified among those that it has. Raises UserError for what a user
    can mend.
    """
    asked = ask(path, data, device, computing, among, own, size)
    task, found = asked.trained.task, asked.images.found
    evaluator = scores.Spec()
    evaluation = evaluator.evaluate(asked.subject)
    names = asked.classes if among == "present" else asked.known
    return Score(
        values={f"test_{name}": value for name, value in evaluation.metrics[0].items()},
        metrics={f"test_{metric.name}": metric for metric in evaluator.metrics(task, asked.model)},
        images=len(asked.test),
        classes=asked.classes,
        known=asked.known,
        among=among,
        by_class=_by_class(asked.test, evaluation, names) if task.classifies else (),
        data=tuple(found.told()) if data is not None and found else (),
        notes=(*asked.trained.notes, *asked.told),
    )


class Asked(NamedTuple):
    """A trained model and the pictures that it is asked about, ready to be measured: `subject`. `model` is its spec, of
    the classes among which it answers; `known` are all that it knows, `classes` those of the pictures; `told` is what
    there is to say of how they were matched.
    """

    trained: Trained
    images: ImageSet
    test: Pictures
    subject: Subject
    model: ViTSpec
    known: tuple[str, ...]
    classes: tuple[str, ...]
    told: list[str]


def ask(
    path: str | Path,
    data: str | DataSpec | None = None,
    device: str | None = None,
    computing: Computing = Computing(),
    among: Among = "all",
    own: Mapping[str, Any] = {},
    size: OtherSize | None = None,
) -> Asked:
    """What `evaluate_checkpoint` measures, for whoever measures something else."""
    trained = _sized(load(path), size)
    images = _images(trained, data, own, path)
    preprocessing = _ending_at(trained.preprocessing, images.frame.img_size, trained.model.spec.img_size)
    where = pick_device(device)
    learner = trained.learner.to(where, computing.dtype)
    use_kernel(learner, computing.kernel)
    known, told = _known(trained, images)
    test, classes = images.test.to(where), known
    if trained.task.needs_labels:
        test, columns = _matched(test, images.class_names, classes)
        classes = tuple(classes[column] for column in columns.tolist())
        if among == "present":
            test = relabelled(test, torch.searchsorted(columns.to(where), test.labels))
            wrap(learner.model, partial(_only, columns.to(where)), "outputs")
    names = classes if among == "present" else known
    spec = replace(trained.model.spec, num_classes=len(names)) if among == "present" else trained.model.spec
    subject = Subject(
        scores=scores_of_one(learner),
        features=features_of_one(learner),
        task=trained.task,
        pictures=_only_test(test),
        prepare=preprocessing.pipeline(spec.num_classes, computing.dtype),
        runs=1,
        noise_seeds=None if trained.noise_seed is None else torch.tensor([trained.noise_seed]),
    )
    return Asked(trained, images, test, subject, spec, known, classes, told)


def _sized(trained: Trained, size: OtherSize | None) -> Trained:
    """The model for images of that size, and the data that it was trained on, where pictures may be of any."""
    if size is None or size.img_size == trained.model.spec.img_size:
        return trained
    larger = at_size(trained, size)
    if larger.data is None or "img_size" not in {field.name for field in fields(larger.data)}:
        return larger
    return replace(larger, data=replace(larger.data, img_size=larger.preprocessing.img_size))  # type: ignore[call-arg]


def _known(trained: Trained, images: ImageSet) -> tuple[tuple[str, ...], list[str]]:
    """The classes that the model knows, by the names of the data where its weights only number as many; and what is to
    be said of that.
    """
    ours, theirs = trained.preprocessing.class_names, tuple(images.class_names)
    unnamed = trained.data is None and trained.task.needs_labels and are_numbers(ours)
    if not unnamed or are_numbers(theirs) or len(ours) != len(theirs):
        return ours, []
    return theirs, [f"classes matched by their order, as the weights do not name them: 0 is {theirs[0]}, and so on"]


def _ending_at(before: Preprocessing, decoded: tuple[int, int], size: tuple[int, int]) -> Preprocessing:
    """What pictures go through that were decoded to a size, and must come out with the model's: those of a set of one
    size are resized at last.
    """
    if decoded == before.img_size:
        return before
    return replace(before, ops=(resize.Spec(size=size, interpolation=before.interpolation),))


def _images(trained: Trained, data: str | DataSpec | None, own: Mapping[str, Any], path: str | Path) -> ImageSet:
    """The set to evaluate on: another one, or the very one that the model was trained on."""
    if own and not isinstance(data, str):
        raise UserError(f"settings of data ({', '.join(own)}), and no --data: name the set that they are for")
    if data is not None:
        return (_read_alike(trained, data, own) if isinstance(data, str) else data).load_held_out()
    if trained.data is None:
        raise UserError(f"{path} does not say what it was trained on: name a set with --data")
    images = trained.data.load()
    run = run_at(Path(path))
    recorded = None if run is None else DataRecord.read_if_there(run)
    changes = recorded.found.changes(images.found) if recorded and recorded.found and images.found else []
    if changes:
        raise DataError(
            f"the data are not those of {run}: {'; '.join(changes[:_SHOWN])}. Bring them back, or say that they are "
            "other data: --data"
        )
    return images


def _read_alike(trained: Trained, text: str, own: Mapping[str, Any]) -> DataSpec:
    """The set that a text names; what it leaves open is as in training: the pixels and what labels are or, of the very
    set that was trained on, everything.
    """
    before, values = trained.preprocessing, settings_of(text)
    alike = {name: getattr(before, name) for name in _AS_PREPARED} | {"in_chans": len(before.mean)}
    read = {} if trained.data is None else to_dict(trained.data)
    if read and not same_place(values, read):
        read = {name: read[name] for name in _WHICHEVER if name in read}
    read |= {"num_classes": None, "renumber": all(name.isdigit() for name in before.class_names)}
    return data_named(values, {**read, **alike}, own)


def _by_class(test: Pictures, evaluation: Evaluation, names: Sequence[str]) -> tuple[ClassRecall, ...]:
    """The classes that the pictures have, of those among which they were classified."""
    assert evaluation.logits is not None  # of a task that classifies
    return tuple(by_class(test.labels.cpu().numpy(), evaluation.logits[0].argmax(-1).numpy(), names))


def _matched(test: Pictures, theirs: Sequence[str], ours: Sequence[str]) -> tuple[Pictures, Tensor]:
    """The pictures with the model's labels, and its classes that they have, ascending. Raises DataError."""
    occurring = test.labels.unique().tolist()  # a class of pictures that are not scored may be unknown
    unknown = [theirs[label] for label in occurring if theirs[label] not in ours]
    if unknown:
        raise DataError(f"--data has classes that the model does not know: {some(unknown)}; it knows {some(ours)}")
    places = torch.tensor([ours.index(name) if name in ours else -1 for name in theirs], device=test.labels.device)
    labels = places[test.labels]
    return relabelled(test, labels), labels.unique().cpu()


def _only(columns: Tensor, outputs: Call, *arguments: Any) -> tuple[Tensor, Tensor | None]:
    """A model's outputs with some of the logits alone."""
    logits, auxiliary_loss = outputs(*arguments)
    return logits[..., columns], auxiliary_loss


def _only_test(test: Pictures) -> Any:
    splits: Mapping[Split, Pictures] = {"test": test}
    return splits.__getitem__
