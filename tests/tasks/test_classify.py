from types import SimpleNamespace

import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from vitlab.base.errors import SpecError
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import Outputs
from vitlab.nn.auxiliary import auto_encoder, none
from vitlab.tasks import classify

LOGITS = torch.tensor([[2.0, -1.0, 0.5, 0.0, 3.0, -2.0], [0.0, 9.0, 8.0, 7.0, 6.0, 5.0]], dtype=torch.float64)
IMAGES = torch.zeros(2, 1, 2, 2)


def saying(logits, auxiliary_loss=None):
    """A model that gives these logits, whatever it is asked."""
    return SimpleNamespace(outputs=lambda images, keys: Outputs(logits, auxiliary_loss))


def scored(model, targets, images=IMAGES, noise=None, **settings):
    task = classify.Spec(**settings).build(ViTSpec())
    return task(model, images, targets, torch.zeros(len(targets), dtype=torch.int64), noise)


def scores(targets, **settings):
    return scored(saying(LOGITS), targets, **settings)


def one_hot(*labels):
    return F.one_hot(torch.tensor(labels), 6).double()


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_softmax_equals_torch(smoothing):
    labels = torch.tensor([4, 0])
    expected = F.cross_entropy(LOGITS, labels, label_smoothing=smoothing, reduction="none")
    found = scores(one_hot(4, 0), label_smoothing=smoothing).metrics["loss"]
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_soft_targets_equal_torch(smoothing):
    targets = 0.7 * one_hot(4, 0) + 0.3 * one_hot(2, 5)
    expected = F.cross_entropy(LOGITS, targets, label_smoothing=smoothing, reduction="none")
    found = scores(targets, label_smoothing=smoothing).metrics["loss"]
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sigmoid_is_the_written_sum_over_classes(smoothing):
    targets = 0.7 * one_hot(4, 0) + 0.3 * one_hot(2, 5)
    smooth = (1 - smoothing) * targets + smoothing / 6
    chance = torch.sigmoid(LOGITS)
    expected = -(smooth * chance.log() + (1 - smooth) * (1 - chance).log()).sum(dim=1)
    found = scores(targets, loss="sigmoid", label_smoothing=smoothing).metrics["loss"]
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_top1_and_top5_by_hand():
    """Sample 0: class 4 is first, class 5 last of six; sample 1: class 5 is fifth, class 0 sixth."""
    first, second = scores(one_hot(4, 5)).metrics, scores(one_hot(5, 0)).metrics
    assert first["top1"].tolist() == [1, 0]
    assert first["top5"].tolist() == [1, 1]
    assert second["top1"].tolist() == [0, 0]
    assert second["top5"].tolist() == [0, 0]


def test_of_equal_logits_the_first_class_is_the_answer():
    """As in the predictions on the disk, whatever topk makes of it; in bf16 logits are often equal."""
    logits = torch.tensor([[0.0, 3.0, 3.0, 1.0, 3.0, 3.0, 3.0, 3.0, 3.0]] * 9)
    found = scored(saying(logits), torch.eye(9), IMAGES[:1]).metrics
    assert found["top1"].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert found["top5"][1] == 1


@pytest.mark.parametrize(("classes", "names"), [(3, {"top1"}), (5, {"top1"}), (6, {"top1", "top5"})])
def test_to_be_one_of_five_is_measured_where_there_are_more(classes, names):
    found = scored(saying(torch.eye(classes)), torch.eye(classes)).metrics
    assert found.keys() - {"loss"} == names
    assert {metric.name for metric in classify.Spec().metrics(ViTSpec(num_classes=classes))} == {"loss", *names}


def test_a_mixed_target_counts_as_its_larger_part():
    assert scores(0.6 * one_hot(4, 1) + 0.4 * one_hot(0, 0)).metrics["top1"].tolist() == [1, 1]


def test_the_loss_of_bf16_logits_is_taken_in_the_targets_precision():
    logits = LOGITS.to(torch.bfloat16)
    found = scored(saying(logits), one_hot(4, 0).float()).metrics["loss"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, F.cross_entropy(logits.float(), torch.tensor([4, 0]), reduction="none"))


def test_images_and_noise_reach_the_model():
    seen, noise = [], torch.arange(2)
    model = SimpleNamespace(outputs=lambda *given: seen.append(given) or Outputs(LOGITS, None))
    scored(model, one_hot(4, 0), noise=noise)
    assert seen == [(IMAGES, noise)]


@pytest.mark.parametrize("auxiliary", [None, torch.zeros(2)])
def test_it_measures_what_it_names(auxiliary):
    """And what selects is among it."""
    part = auto_encoder.Spec() if auxiliary is not None else none.Spec()
    metrics = classify.Spec().metrics(ViTSpec(auxiliary=part))
    measured = scored(saying(LOGITS, auxiliary), one_hot(4, 0)).metrics
    assert {metric.name for metric in metrics} == measured.keys()
    assert classify.Spec.selects in measured


def test_without_an_auxiliary_part_the_objective_is_the_loss():
    found = scores(one_hot(4, 0))
    assert torch.equal(found.objective, found.metrics["loss"])
    assert "auxiliary_loss" not in found.metrics


def test_an_auxiliary_loss_joins_the_objective_and_stays_apart_in_the_metrics():
    plain, auxiliary = scores(one_hot(4, 0)), torch.tensor([0.25, 2.0])
    found = scored(saying(LOGITS, auxiliary), one_hot(4, 0))
    assert torch.equal(found.metrics["loss"], plain.metrics["loss"])
    assert found.metrics["auxiliary_loss"].tolist() == [0.25, 2.0]
    assert torch.equal(found.objective, plain.objective + auxiliary)


# ------------------------------------------------------------------------------------------------------ class weights

COUNTED = torch.tensor([0] * 5 + [1] + [2] * 9 + [4] * 30 + [5] * 3)  # of class 3 there is none


def weighted(targets, auxiliary_loss=None, labels=COUNTED, **settings):
    task = classify.Spec(class_weights="balanced", **settings).build(ViTSpec(num_classes=6))
    task.adapt(labels)
    return task(saying(LOGITS, auxiliary_loss), IMAGES, targets, torch.zeros(2, dtype=torch.int64), None)


def test_balanced_weights_are_scikit_learns():
    present = COUNTED.unique()
    expected = compute_class_weight("balanced", classes=present.numpy(), y=COUNTED.numpy())
    found = classify.balanced_weights(COUNTED, 6)
    torch.testing.assert_close(found[present], torch.from_numpy(expected), rtol=1e-15, atol=0)
    assert found[COUNTED].mean().item() == pytest.approx(1, rel=1e-14)
    assert found.isfinite().all()


def test_the_weighted_objective_is_torchs_before_its_normalisation():
    """torch divides by the sum of the batch's weights, we by the number of images."""
    labels, weights = torch.tensor([4, 0]), classify.balanced_weights(COUNTED, 6)
    found = weighted(one_hot(4, 0)).objective
    expected = F.cross_entropy(LOGITS, labels, weights, reduction="none")
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=0)
    theirs = F.cross_entropy(LOGITS, labels, weights)
    torch.testing.assert_close(found.sum() / weights[labels].sum(), theirs, rtol=1e-14, atol=0)


@pytest.mark.parametrize("settings", [{}, {"loss": "sigmoid"}, {"label_smoothing": 0.1}])
def test_a_mixed_target_has_its_share_of_both_weights(settings):
    targets, weights = 0.7 * one_hot(4, 0) + 0.3 * one_hot(1, 5), classify.balanced_weights(COUNTED, 6)
    plain, found = scores(targets, **settings), weighted(targets, **settings)
    shares = torch.stack([0.7 * weights[4] + 0.3 * weights[1], 0.7 * weights[0] + 0.3 * weights[5]])
    torch.testing.assert_close(found.objective, plain.objective * shares, rtol=1e-14, atol=0)
    assert torch.equal(found.metrics["loss"], plain.metrics["loss"])


def test_an_auxiliary_loss_has_no_weight():
    auxiliary = torch.tensor([0.25, 2.0], dtype=torch.float64)
    assert torch.equal(weighted(one_hot(4, 0), auxiliary).objective, weighted(one_hot(4, 0)).objective + auxiliary)


def test_they_are_no_part_of_a_checkpoint():
    task = classify.Spec(class_weights="balanced").build(ViTSpec(num_classes=6))
    task.adapt(COUNTED)
    assert task.state_dict() == {}


def test_probabilities():
    torch.testing.assert_close(classify.Spec().probabilities(LOGITS), LOGITS.softmax(-1))
    torch.testing.assert_close(classify.Spec(loss="sigmoid").probabilities(LOGITS), LOGITS.sigmoid())


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_outside_its_range_is_refused(smoothing):
    with pytest.raises(SpecError, match=f"label_smoothing={smoothing}"):
        classify.Spec(label_smoothing=smoothing)
