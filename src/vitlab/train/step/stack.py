"""The scores of R runs of one structure, as one callable.

A single run calls its learner directly. Several are called at once through `torch.func.vmap`, each on its own weights
and its own batch: that is how many seeds train for little more than the price of one. Either way the caller sees a
leading run axis.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from vitlab.learner import (
    FeatureFunction,
    Learner,
    ScoreFunction,
    features_of_one,
    inside,
    scores_of_one,
)
from vitlab.tasks._base import Scores
from vitlab.train.step.weights import Weights

# The counters of `vitlab.rng` are multiplied with 64-bit wrap-around; as index expressions they would overflow
COMPILER: dict[str, str | int | bool | Callable] = {"constant_and_index_propagation": False}


def score_function(learner: Learner, weights: Weights, compiled: bool = False) -> ScoreFunction:
    """The scores of R runs with these weights; of a single run, `learner` must compute with them already."""
    scores = scores_of_one(learner) if weights.runs == 1 else _stacked_scores(learner, weights)
    # dynamic=False: a second batch size would be compiled for any size, which fails under vmap and leaves all eager
    return torch.compile(scores, options=COMPILER, dynamic=False) if compiled else scores


def feature_function(learner: Learner, weights: Weights) -> FeatureFunction:
    """The features of R runs with these weights, in the same way."""
    if weights.runs == 1:
        return features_of_one(learner)
    call = _Call(learner, "features")

    def one(leaves: Mapping[str, Tensor], images: Tensor) -> Tensor:
        return call.with_weights(leaves, images)

    return lambda images: vmap(one)(weights.leaves, images)


def _stacked_scores(learner: Learner, weights: Weights) -> ScoreFunction:
    call = _Call(learner, "scores")

    def one(
        leaves: Mapping[str, Tensor], images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None
    ) -> Scores:
        return call.with_weights(leaves, images, targets, keys, noise)

    def scores(images: Tensor, targets: Tensor, keys: Tensor, noise: Tensor | None) -> Scores:
        axes = (0, 0, 0, 0, None if noise is None else 0)
        return vmap(one, in_dims=axes)(weights.leaves, images, targets, keys, noise)

    return scores


class _Call(nn.Module):
    """A method of a learner as a module's forward: what `functional_call` calls with other weights."""

    def __init__(self, learner: Learner, method: str):
        super().__init__()
        self.learner, self.method = learner, method

    def forward(self, *arguments: Any) -> Any:
        """What the method gives."""
        return getattr(self.learner, self.method)(*arguments)

    def with_weights(self, leaves: Mapping[str, Tensor], *arguments: Any) -> Any:
        """The same, computed with these weights by name."""
        named = {f"learner.{inside(name)}": leaf for name, leaf in leaves.items()}
        return functional_call(self, named, arguments)
