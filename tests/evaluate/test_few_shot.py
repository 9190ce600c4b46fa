"""Few-shot accuracy: the closed form, the draws, and what is measured of them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.evaluate.test_scores import subject
from vitlab import api
from vitlab.base.errors import SpecError
from vitlab.data.images import Images
from vitlab.evaluate import few_shot

RIDGE = 1024.0


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("images", [12, 40], ids=["dual", "primal"])
def test_the_closed_form_is_scikit_learns_ridge(images):
    """On standardised features with a constant, to {-1, 1}: 20 features, so either form is the one that is solved."""
    ridge = pytest.importorskip("sklearn.linear_model").Ridge
    features, held_out, labels = random(2, images, 20) * 3 + 1, random(2, 7, 20, seed=1), torch.arange(images) % 4
    ours = few_shot.fitted(features, labels, 4, RIDGE)(held_out)
    for run in range(2):
        seen, asked = features[run].numpy(), held_out[run].numpy()
        mean, deviation = seen.mean(0), seen.std(0) + 1e-5
        seen, asked = (np.c_[(each - mean) / deviation, np.full(len(each), 100.0)] for each in (seen, asked))
        peer = ridge(alpha=RIDGE, fit_intercept=False).fit(seen, np.where(np.eye(4)[labels], 1.0, -1.0))
        np.testing.assert_allclose(ours[run], peer.predict(asked), rtol=0, atol=1e-10)


def test_a_feature_that_never_varies_says_nothing():
    features = random(1, 9, 3)
    features[..., 1] = 5.0
    classifier = few_shot.fitted(features, torch.arange(9) % 3, 3, RIDGE)
    assert classifier.weight[0, 1].abs().max() == 0
    assert classifier(features).isfinite().all()


LABELS = torch.tensor([0, 1, 2] * 8 + [2, 2])


def test_as_many_of_every_class_are_drawn():
    places = few_shot.drawn(LABELS, 5, draw=3)
    assert LABELS[places].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert len(places.unique()) == 15


def test_more_shots_contain_fewer_and_draws_differ():
    few, more, others = few_shot.drawn(LABELS, 2, 0), few_shot.drawn(LABELS, 4, 0), few_shot.drawn(LABELS, 2, 1)
    assert set(few.tolist()) < set(more.tolist())
    assert few.tolist() != others.tolist()


def test_every_image_has_the_same_chance():
    """Of 8 or 10 of a class, over many draws: within four standard errors."""
    draws = 2000
    counts = sum(torch.bincount(few_shot.drawn(LABELS, 2, draw), minlength=len(LABELS)) for draw in range(draws))
    chance = 2 / torch.bincount(LABELS)[LABELS]
    error = (chance * (1 - chance) * draws).sqrt()
    assert ((counts - chance * draws).abs() < 4 * error).all()


def test_a_class_with_fewer_images_cannot_be_drawn():
    assert few_shot.drawn(LABELS, 8, 0) is not None
    assert few_shot.drawn(LABELS, 9, 0) is None


# ------------------------------------------------------------------------------------------------------ the evaluator


def measured(spec, runs=1, batch_size=512, noise=0.0):
    """Thirty images of three classes, named 3, 5 and 9, which their first feature nearly tells."""
    labels = torch.tensor([3, 5, 9] * 10)
    features = torch.nn.functional.one_hot(labels, 12).double() + noise * random(30, 12)
    images = Images(torch.arange(30, dtype=torch.uint8)[:, None, None, None], labels)

    def of(batch):
        return features[batch[..., 0, 0, 0].long()] * torch.arange(1, len(batch) + 1)[:, None, None]

    return spec.evaluate(replace(subject(images, runs=runs, batch_size=batch_size), features=of))


def test_classes_that_features_tell_are_told():
    evaluation = measured(few_shot.Spec(shots=(1, 2), draws=3))
    assert evaluation.metrics == [
        {"few_shot_1": 1.0, "few_shot_1_spread": 0.0, "few_shot_2": 1.0, "few_shot_2_spread": 0.0}
    ]
    assert evaluation.scores["few_shot_1"].tolist() == [[1.0] * 30]


@pytest.mark.parametrize("batch_size", [1, 7, 30])
def test_it_matters_neither_how_images_are_batched_nor_what_features_are_multiplied_by(batch_size):
    spec = few_shot.Spec(shots=(2,), draws=4)
    expected, found = (measured(spec, 2, size, noise=1.0) for size in (512, batch_size))
    assert found.metrics == expected.metrics
    assert 0.4 < found.metrics[0]["few_shot_2"] < 1
    assert found.metrics[0] == found.metrics[1]
    assert torch.equal(found.scores["few_shot_2"], expected.scores["few_shot_2"])
    assert found.scores["few_shot_2"][0].mean() == pytest.approx(found.metrics[0]["few_shot_2"])


def test_the_spread_is_that_of_the_draws():
    alone = [few_shot.Spec(shots=(1,), draws=draws) for draws in (1, 2)]
    (one,), (two,) = (measured(spec, noise=1.0).metrics for spec in alone)
    second = 2 * two["few_shot_1"] - one["few_shot_1"]
    assert two["few_shot_1_spread"] == pytest.approx(abs(one["few_shot_1"] - second) / math.sqrt(2))
    assert math.isnan(one["few_shot_1_spread"])


def test_more_shots_than_a_class_has_images_have_no_value():
    (values,) = measured(few_shot.Spec(shots=(5, 11))).metrics
    assert values["few_shot_5"] == 1.0
    assert math.isnan(values["few_shot_11"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shots": ()}, "shots"),
        ({"shots": (0,)}, "shots"),
        ({"shots": (5, 5)}, "shots"),
        ({"draws": 0}, "draws=0"),
        ({"ridge": 0.0}, "ridge=0"),
        ({"split": "train"}, "few_shot.split=train: the shots are drawn from the training images"),
    ],
)
def test_what_cannot_be_measured_is_refused(settings, said):
    with pytest.raises(SpecError, match=said):
        few_shot.Spec(**settings)


def test_a_run_has_it_in_its_records(tiny_run, run_tiny, tmp_path):
    evaluators = ["scores", {"name": "few_shot", "shots": [1, 5], "draws": 2}]
    metrics = run_tiny(tiny_run({"evaluators": evaluators, "weights": "last"}), tmp_path)["metrics"]
    assert 0 < metrics["test_few_shot_1"] < metrics["test_few_shot_5"] < 1
    assert api.summary(tmp_path)
