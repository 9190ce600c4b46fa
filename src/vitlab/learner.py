"""`Learner`: a model and its task, which together are what is trained and evaluated.

The model's parameters keep their names (`blocks.0.attn.qkv.weight`), so that checkpoints, parameter groups and initial
weights know them by these; those of the task stand behind `task.` (`task.decoder.weight`).
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor, nn

from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT, build
from vitlab.nn.init._base import initialise
from vitlab.nn.kinds import Kind, parameter_kinds
from vitlab.tasks._base import Scores, Task, TaskSpec

T = TypeVar("T")
TASK = "task."

# Of R runs at once, everything with a leading run axis. Scores: images [R, B, C, height, width], targets [R, B, Y],
# keys [R, B], noise [R, B] or None -> [R, B] each. Features: images -> [R, B, D].
ScoreFunction = Callable[[Tensor, Tensor, Tensor, Tensor | None], Scores]
FeatureFunction = Callable[[Tensor], Tensor]


class Learner(nn.Module):
    """A model with the task that it learns, as one module."""

    def __init__(self, model: ViT, task: Task):
        super().__init__()
        self.model, self.task = model, task

    def scores(self, images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None) -> Scores:
        """[B, C, height, width], [B, Y], [B], [B] or None -> per-sample scores"""
        return self.task(self.model, images, targets, keys, noise)

    def features(self, images: Tensor) -> Tensor:
        """[B, C, height, width] -> the representation that the head reads, [B, D]"""
        return self.model.representation(images)

    def tensors(self) -> dict[str, nn.Parameter]:
        """All that is trained, by name."""
        return together(dict(self.model.named_parameters()), dict(self.task.named_parameters()))

    def kinds(self) -> dict[str, Kind]:
        """The kind of each of these, see `vitlab.nn.kinds`."""
        return together(parameter_kinds(self.model), parameter_kinds(self.task))

    def install(self, tensors: Mapping[str, nn.Parameter]) -> None:
        """Make these the parameters, by name."""
        for name, tensor in tensors.items():
            path, _, own = inside(name).rpartition(".")
            setattr(self.get_submodule(path), own, tensor)


def inside(name: str) -> str:
    """A tensor's name as the attributes of a `Learner` lead to it."""
    return name if name.startswith(TASK) else f"model.{name}"


def of_model(tensors: Mapping[str, T]) -> dict[str, T]:
    """Those that are the model's, by their names in the model."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(TASK)}


def of_task(tensors: Mapping[str, T]) -> dict[str, T]:
    """Those that are the task's, by their names in the task."""
    return {name.removeprefix(TASK): tensor for name, tensor in tensors.items() if name.startswith(TASK)}


def together(model: Mapping[str, T], task: Mapping[str, T]) -> dict[str, T]:
    """Those of a model and of its task, by the names that a learner has for them."""
    return {**model, **{TASK + name: tensor for name, tensor in task.items()}}


def build_learner(model: ViTSpec, task: TaskSpec, seed: int) -> Learner:
    """A model and a task with the initial weights of `seed`."""
    built = task.build(model)
    initialise(built, model.init, seed, prefix=TASK)
    return Learner(build(model, seed), built)


def scores_of_one(learner: Learner) -> ScoreFunction:
    """A learner with its own weights, seen as a stack of one."""

    def scores(images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None) -> Scores:
        alone = learner.scores(images[0], targets[0], keys[0], None if noise is None else noise[0])
        metrics, outputs = ({name: value[None] for name, value in group.items()} for group in alone[1:])
        return Scores(alone.objective[None], metrics, outputs)

    return scores


def features_of_one(learner: Learner) -> FeatureFunction:
    """The same of its features."""
    return lambda images: learner.features(images[0])[None]
