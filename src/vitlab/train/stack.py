"""One callable for R runs of one structure.

A single run calls its model directly. Several are called at once through `torch.func.vmap`, each on its own weights
and its own batch: that is how many seeds train for little more than the price of one. Either way the caller sees a
leading run axis.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from vitlab.models.vit import ViT
from vitlab.tasks._base import Scores, TaskSpec
from vitlab.train.weights import Weights

# The counters of `vitlab.rng` are multiplied with 64-bit wrap-around; as index expressions they would overflow
COMPILER: dict[str, str | int | bool | Callable] = {"constant_and_index_propagation": False}

ScoreFunction = Callable[[Tensor, Tensor, Tensor | None], Scores]  # images, targets, keys with a leading run axis


def score_function(model: ViT, task: TaskSpec, weights: Weights, compiled: bool = False) -> ScoreFunction:
    """(images [R, B, C, height, width], targets [R, B, Y], keys [R, B] or None) -> Scores, [R, B] each."""
    if weights.runs == 1:
        install(model, weights.leaves)
        scores = single(model, task)
    else:
        scores = _stacked(model, task, weights)
    # dynamic=False: a second batch size would be compiled for any size, which fails under vmap and leaves all eager
    return torch.compile(scores, options=COMPILER, dynamic=False) if compiled else scores


def single(model: ViT, task: TaskSpec) -> ScoreFunction:
    """One model with its own weights, seen as a stack of one."""

    def scores(images: Tensor, targets: Tensor, keys: Tensor | None) -> Scores:
        alone = task.scores(model, images[0], targets[0], None if keys is None else keys[0])
        metrics = {name: value[None] for name, value in alone.metrics.items()}
        return Scores(alone.objective[None], metrics, alone.logits[None])

    return scores


class _Scored(nn.Module):
    """A task's scores of a model, as a module: what `functional_call` calls with other weights."""

    def __init__(self, model: ViT, task: TaskSpec):
        super().__init__()
        self.model, self.task = model, task

    def forward(self, images: Tensor, targets: Tensor, keys: Tensor | None) -> Scores:
        """[B, C, height, width], [B, Y], [B] -> Scores, [B] each"""
        return self.task.scores(self.model, images, targets, keys)


def _stacked(model: ViT, task: TaskSpec, weights: Weights) -> ScoreFunction:
    scored = _Scored(model, task)

    def one(leaves: Mapping[str, Tensor], images: Tensor, targets: Tensor, keys: Tensor | None) -> Scores:
        named = {f"model.{name}": leaf for name, leaf in leaves.items()}
        return functional_call(scored, named, (images, targets, keys))

    def scores(images: Tensor, targets: Tensor, keys: Tensor | None) -> Scores:
        return vmap(one, in_dims=(0, 0, 0, None if keys is None else 0))(weights.leaves, images, targets, keys)

    return scores


def install(model: nn.Module, leaves: Mapping[str, Tensor]) -> None:
    """Make `leaves` the parameters of `model`, by name."""
    for name, leaf in leaves.items():
        path, _, own = name.rpartition(".")
        setattr(model.get_submodule(path), own, leaf)
