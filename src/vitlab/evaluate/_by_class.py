"""Balanced accuracy: the mean recall of the classes that occur in a split, each of which counts alike.

What is added up, batch by batch and process by process, is how many images of each class are right: whole numbers, so
the order of adding changes nothing. It is what scikit-learn's balanced_accuracy_score gives (Brodersen et al. 2010).
"""

import torch
from torch import Tensor

from vitlab.base.metric import Metric
from vitlab.stats.by_class import BALANCED_ACCURACY as NAME

BALANCED_ACCURACY = Metric(NAME, "balanced accuracy", "fraction", "higher", brief=False, over="classes")


def right_by_class(logits: Tensor, labels: Tensor, dtype: torch.dtype) -> Tensor:
    """logits [R, b, Y], labels [b] -> how many images of each class have it as their likeliest, [R, Y]"""
    right = (logits.argmax(-1) == labels).to(dtype)
    return right.new_zeros(logits.shape[0], logits.shape[-1]).index_add_(1, labels, right)


def mean_recall(right: Tensor, labels: Tensor) -> Tensor:
    """How many are right of each class [R, Y], the labels [n] of the whole split -> balanced accuracy [R]"""
    images = torch.bincount(labels, minlength=right.shape[-1])
    occurs = images > 0
    return (right[:, occurs] / images[occurs]).mean(dim=1)
