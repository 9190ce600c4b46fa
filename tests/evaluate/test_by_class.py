"""Balanced accuracy, against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from tests.evaluate.test_scores import subject
from vitlab.data.images import Images
from vitlab.evaluate import scores as evaluator
from vitlab.evaluate._by_class import mean_recall, right_by_class
from vitlab.tasks._base import LOGITS, Scores

pytestmark = pytest.mark.filterwarnings("ignore:y_pred contains classes")  # of scikit-learn
LABELS = torch.tensor([4] * 20 + [0] * 5 + [2] * 2)[torch.randperm(27, generator=torch.Generator().manual_seed(0))]
GUESSES = torch.randint(5, (2, 27), generator=torch.Generator().manual_seed(1))


def guessing(images, targets, keys, noise):
    """Run r says of an image what stands in its r-th pixel."""
    said = images[:, :, 0, 0].gather(-1, torch.arange(len(images))[:, None, None].expand(-1, images.shape[1], 1))
    logits = torch.nn.functional.one_hot(said[..., 0].long(), 5).float()
    return Scores(logits.sum(-1), {}, {LOGITS: logits})


@pytest.mark.parametrize("batch", [512, 4, 1])
def test_it_is_scikit_learns_however_it_is_batched(batch):
    """Classes 1 and 3 do not occur, and do not count."""
    images = Images(GUESSES.T[:, None, None, :].to(torch.uint8), LABELS)
    metrics = evaluator.Spec().evaluate(subject(images, guessing, runs=2, batch_size=batch)).metrics
    found = [values["balanced_accuracy"] for values in metrics]
    assert found == pytest.approx([balanced_accuracy_score(LABELS, guesses) for guesses in GUESSES], rel=1e-15)
    assert found[0] != pytest.approx((GUESSES[0] == LABELS).double().mean().item(), rel=0.01)


def test_the_shares_of_processes_add_up_to_the_whole():
    logits = torch.nn.functional.one_hot(GUESSES, 5).float()
    parts = [right_by_class(logits[:, part], LABELS[part], torch.float64) for part in (slice(0, 13), slice(13, 27))]
    whole = right_by_class(logits, LABELS, torch.float64)
    assert torch.equal(parts[0] + parts[1], whole)
    assert np.isclose(mean_recall(whole, LABELS)[1].item(), balanced_accuracy_score(LABELS, GUESSES[1]), rtol=1e-15)
