"""Recall by class, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from vitlab.stats.by_class import ClassRecall, balanced_accuracy, balanced_scores, by_class
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


def test_what_pictures_add_to_balanced_accuracy_has_its_mean_and_its_variance():
    """Uneven classes: over new pictures of each class, the mean varies as the scores of one draw say."""
    chances = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [400, 80, 20])
    recalls = np.array([0.9, 0.6, 0.3])
    means, variances = [], []
    for _ in range(2_000):
        right = chances.random(len(labels)) < recalls[labels]
        scores = balanced_scores(labels, right)
        assert scores.mean() == pytest.approx(np.mean([right[labels == c].mean() for c in range(3)]), rel=1e-12)
        means.append(scores.mean())
        variances.append(scores.var(ddof=1) / len(scores))
    true = np.mean(recalls * (1 - recalls) / [400, 80, 20]) / 3
    assert np.var(means) == pytest.approx(true, rel=0.1)
    assert np.mean(variances) == pytest.approx(true, rel=0.07)  # rare classes have n - 1 of their own
