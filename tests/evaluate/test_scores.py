"""The task's own metrics on a split, and the subject that every evaluator is handed."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from vitlab.base.metric import Metric
from vitlab.data.images import Images
from vitlab.evaluate import scores as evaluator
from vitlab.evaluate._base import Subject
from vitlab.tasks._base import LOGITS, Scores, TaskSpec


@dataclass(frozen=True)
class Measuring(TaskSpec):
    """A task with a loss and hits."""

    has_logits: ClassVar[bool] = True

    def metrics(self, model):
        return (Metric("loss", "loss", "nats", "lower"), Metric("top1", "top-1", "fraction", "higher"))


def scores(images, targets, keys, noise):
    """Run r's loss for an image is its first pixel times r + 1; it is a hit if that pixel is even."""
    assert noise is None
    values = images[:, :, 0, 0, 0] * torch.arange(1, len(images) + 1)[:, None]
    hits = (images[:, :, 0, 0, 0] % 2 == 0).float()
    return Scores(values, {"loss": values, "top1": hits}, {LOGITS: images[..., 0, 0, :]})


def prepare(pixels, labels, keys):
    return pixels.float(), labels


def subject(images, scores=scores, runs=1, **more):
    return Subject(scores, lambda images: images, Measuring(), lambda split: images, prepare, runs, **more)


def numbered(count):
    """Images whose pixels all have the image's number."""
    pixels = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 1, 2, 3)
    return Images(pixels, torch.zeros(count, dtype=torch.long))


@pytest.mark.parametrize("batch", [512, 4, 10, 1])
def test_means_are_over_images_however_they_are_batched(batch):
    """Ten images in batches of four: the last two count as two."""
    metrics, logits, by_image = evaluator.Spec().evaluate(subject(numbered(10), runs=2, batch_size=batch))
    own = {"top1": 0.5, "balanced_accuracy": 1.0}  # all logits of an image are equal: its likeliest class is the first
    assert metrics == [{"loss": 4.5, **own}, {"loss": 9.0, **own}]
    assert logits.shape == (2, 10, 3)
    assert logits[1, :, 0].tolist() == list(range(10))
    assert {name: values.tolist() for name, values in by_image.items()} == {
        "loss": [list(range(10)), list(range(0, 20, 2))],
        "top1": [[1.0, 0.0] * 5] * 2,
    }


def test_sums_are_in_double_precision():
    """A million losses of 0.1, one of a million: single precision would lose the small ones."""
    images = Images(torch.zeros(1000, 1, 1, 1, dtype=torch.uint8), torch.zeros(1000, dtype=torch.long))
    values = torch.full((1, 1000), 1e-4)
    values[0, 0] = 1e5

    def steep(batch, targets, keys, noise):
        part = values[:, steep.seen : steep.seen + batch.shape[1]]
        steep.seen += batch.shape[1]
        return Scores(part, {"loss": part}, {LOGITS: part[..., None]})

    steep.seen = 0
    ((means,), *_) = evaluator.Spec().evaluate(subject(images, steep))
    assert means["loss"] == pytest.approx(values.double().mean().item(), rel=1e-14)


def test_no_gradient_is_kept():
    weight = torch.ones(1, requires_grad=True)

    def learned(batch, targets, keys, noise):
        result = batch[:, :, 0, 0, 0] * weight
        assert not result.requires_grad
        return Scores(result, {}, {LOGITS: result[..., None]})

    evaluator.Spec().evaluate(
        subject(Images(torch.zeros(3, 1, 1, 1, dtype=torch.uint8), torch.zeros(3).long()), learned)
    )


def test_every_image_has_a_key_of_its_own_that_stays():
    """Whatever the batch, in every evaluation and for every run: a masked validation asks the same every time."""
    keys = [torch.cat([b.keys for b in subject(numbered(10), runs=2, batch_size=size).batches("val")], dim=1)
            for size in (10, 3)]  # fmt: skip
    assert torch.equal(*keys)
    assert torch.equal(keys[0][0], keys[0][1])
    assert len(keys[0][0].unique()) == 10


def test_noise_is_each_runs_own_and_only_where_it_is_asked_for():
    (batch,) = subject(numbered(10), runs=2, noise_seeds=torch.tensor([3, 4])).batches("val")
    assert len(batch.noise.flatten().unique()) == 20
    (batch,) = subject(numbered(10), runs=2).batches("val")
    assert batch.noise is None
