"""k-NN accuracy: the votes of the nearest, and what is measured of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from tests.evaluate.test_few_shot import random
from tests.evaluate.test_scores import subject
from vitlab.base.errors import SpecError
from vitlab.data.images import Images
from vitlab.evaluate import knn


@pytest.mark.parametrize("k", [1, 4, 50])
def test_the_votes_are_scikit_learns(k):
    """With its own search, by cosine, and the same weights."""
    neighbours = pytest.importorskip("sklearn.neighbors").KNeighborsClassifier
    known, asked, labels = random(1, 50, 8), random(1, 9, 8, seed=1), torch.arange(50) % 3
    peer = neighbours(k, metric="cosine", algorithm="brute", weights=lambda distance: np.exp(-distance / 0.07))
    expected = peer.fit(known[0].numpy(), labels.numpy()).predict_proba(asked[0].numpy())
    ours = knn.votes(normalize(asked, dim=-1), normalize(known, dim=-1), labels, 3, k, 0.07)[0]
    np.testing.assert_allclose(ours / ours.sum(-1, keepdim=True), expected, rtol=0, atol=1e-10)


def test_nearer_neighbours_have_more_to_say():
    """One at no angle against two that are further: the lower the temperature, the more it outweighs them."""
    known = normalize(torch.tensor([[[1.0, 0.0], [1.0, 0.5], [1.0, -0.5]]]), dim=-1)
    asked, labels = torch.tensor([[[1.0, 0.0]]]), torch.tensor([0, 1, 1])
    said = [knn.votes(asked, known, labels, 2, 3, temperature).argmax().item() for temperature in (0.07, 10.0)]
    assert said == [0, 1]


def measured(spec, runs=1, batch_size=512):
    """Twenty training images of classes 4 and 7, whose first feature tells them apart, and ten that are asked."""
    labels = torch.tensor([4, 7] * 10)
    features = torch.stack([(labels == 4).float(), (labels == 7).float()], dim=1) + 0.3 * random(20, 2).float()
    train = Images(torch.arange(20, dtype=torch.uint8)[:, None, None, None], labels)
    test = Images(torch.tensor([0, 3, 2, 1, 8, 5, 6, 7, 9, 4], dtype=torch.uint8)[:, None, None, None], labels[:10])
    made = subject(test, runs=runs, batch_size=batch_size)
    pictures = {"train": train, "test": test}.__getitem__
    return spec.evaluate(replace(made, pictures=pictures, features=lambda batch: features[batch[..., 0, 0, 0].long()]))


def test_an_image_that_was_seen_is_its_own_nearest_neighbour():
    evaluation = measured(knn.Spec(k=1))
    expected = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]  # the last two are labelled as what they are not
    assert evaluation.scores["knn"].tolist() == [expected]
    assert evaluation.metrics == [{"knn": 0.8}]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_it_does_not_matter_how_images_are_batched(batch_size, monkeypatch):
    expected = measured(knn.Spec(), runs=2)
    monkeypatch.setattr(knn, "_AT_ONCE", 50)  # one image of two runs and twenty neighbours
    found = measured(knn.Spec(), runs=2, batch_size=batch_size)
    assert found.metrics == expected.metrics
    assert torch.equal(found.scores["knn"], expected.scores["knn"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"k": 0}, "k=0"),
        ({"temperature": 0.0}, "temperature=0"),
        ({"split": "train"}, "every image would be its own"),
    ],
)
def test_what_cannot_be_measured_is_refused(settings, said):
    with pytest.raises(SpecError, match=said):
        knn.Spec(**settings)


def test_a_run_has_it_in_its_records(tiny_run, run_tiny, tmp_path):
    metrics = run_tiny(tiny_run({"evaluators": ["scores", "knn"], "weights": "last"}), tmp_path)["metrics"]
    assert 0.1 < metrics["test_knn"] < 1
