"""Recall by class, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from vitlab.stats.by_class import ClassRecall, balanced_accuracy, by_class
from vitlab.stats.intervals import wilson

NAMES = ("ant", "bee", "cat", "dog")


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_recalls_are_scikit_learns():
    generator = np.random.default_rng(0)
    labels, predicted = generator.choice([0, 1, 3], 300, p=[0.9, 0.05, 0.05]), generator.integers(0, 4, 300)
    found = by_class(labels, predicted, NAMES)
    assert [each.name for each in found] == ["ant", "bee", "dog"]
    assert [each.images for each in found] == [(labels == label).sum() for label in (0, 1, 3)]
    assert [each.recall for each in found] == pytest.approx(
        recall_score(labels, predicted, labels=[0, 1, 3], average=None), rel=1e-15
    )
    assert balanced_accuracy(found) == pytest.approx(balanced_accuracy_score(labels, predicted), rel=1e-15)
    assert found[1].interval == wilson(found[1].recall, found[1].images, 0.95)


def test_what_a_class_was_taken_for():
    """The commonest mistake, of equals the first class; none where all are right."""
    labels, predicted = np.array([0, 0, 0, 0, 1, 1, 1, 3]), np.array([0, 2, 3, 3, 3, 0, 1, 3])
    assert by_class(labels, predicted, NAMES) == [
        ClassRecall("ant", 4, 1, "dog", 2),
        ClassRecall("bee", 3, 1, "ant", 1),
        ClassRecall("dog", 1, 1),
    ]
