"""What an accuracy hides where classes are uneven: the recall of each.

recall             of a class: the share of its images that are taken for it
balanced accuracy  the mean recall of the classes that occur; always naming the same of K classes gives 1/K
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitlab.stats.intervals import LEVEL, Interval, wilson

BALANCED_ACCURACY = "balanced_accuracy"  # what records call it


@dataclass(frozen=True)
class ClassRecall:
    """A class that occurs: how many images it has, and how many of them are right. `taken_for` is the class that most
    of the others were taken for, `mistaken` how many these are; None and 0 where all are right.
    """

    name: str
    images: int
    right: int
    taken_for: str | None = None
    mistaken: int = 0

    @property
    def recall(self) -> float:
        """The share that is right."""
        return self.right / self.images

    @property
    def interval(self) -> Interval:
        """The recall's, from the number of images."""
        return wilson(self.recall, self.images, LEVEL)


def by_class(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> list[ClassRecall]:
    """labels [n] and predicted classes [n], both by their places among `names` -> every class that occurs, in order."""
    wrong = labels != predicted
    images = np.bincount(labels, minlength=len(names)).tolist()
    right = np.bincount(labels[~wrong], minlength=len(names)).tolist()
    mistakes = {
        label: (names[taken], times) for label, (taken, times) in _commonest(labels[wrong], predicted[wrong]).items()
    }
    return [
        ClassRecall(name, images[label], right[label], *mistakes.get(label, ()))
        for label, name in enumerate(names)
        if images[label]
    ]


def _commonest(labels: np.ndarray, taken: np.ndarray) -> dict[int, tuple[int, int]]:
    """labels [m], and what the images were taken for [m] -> of each label the commonest, the first of equals, and how
    often it was.
    """
    pairs, times = np.unique(np.stack([labels, taken], axis=1), axis=0, return_counts=True)
    rarest_first = np.lexsort((-pairs[:, 1], times))
    return {int(pairs[at, 0]): (int(pairs[at, 1]), int(times[at])) for at in rarest_first}  # the last of a label stays


def balanced_accuracy(classes: Sequence[ClassRecall]) -> float:
    """The mean recall, as scikit-learn's balanced_accuracy_score."""
    return sum(each.recall for each in classes) / len(classes)


def balanced_scores(labels: np.ndarray, right: np.ndarray) -> np.ndarray:
    """labels [P], and which pictures are right [P] -> what each adds to balanced accuracy [P], whose mean that is.

    The score of a picture of class c, of K classes with P_c pictures each, is A + (right - R_c)·P/(K·P_c): balanced
    accuracy A, and how far the picture is from the recall R_c of its class, by the weight that it has there (the
    influence function). So the variance of the mean is that of pictures within their classes, and classes do not
    change with the pictures.
    """
    _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    recalls = np.bincount(place, weights=right) / counts
    weights = len(labels) / (len(counts) * counts)
    return np.asarray(recalls.mean() + (right - recalls[place]) * weights[place])
