"""The gradient of one micro-batch."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.train.stack import ScoreFunction
from vitlab.train.weights import Weights


class Part(NamedTuple):
    """What a micro-batch gives: the gradients of the leaves, in their order, and metrics summed over samples, [R]."""

    gradients: tuple[Tensor, ...]
    sums: Mapping[str, Tensor]


class PartGradient:
    """Computes a micro-batch's share of the gradient of a batch's mean loss."""

    def __init__(self, scores: ScoreFunction, weights: Weights):
        self.scores, self.leaves = scores, list(weights.leaves.values())

    def __call__(self, images: Tensor, targets: Tensor, keys: Tensor, size: int) -> Part:
        """images [R, b, C, H, W], targets [R, b, Y], keys [R, b]; `size` is how many samples the whole batch has."""
        result = self.scores(images, targets, keys)
        # materialize_grads: a part may leave weights unused (norm1 before mixer=identity); their gradient is zero
        gradients = torch.autograd.grad(result.objective.sum() / size, self.leaves, materialize_grads=True)
        return Part(gradients, {name: value.detach().sum(dim=1) for name, value in result.metrics.items()})
