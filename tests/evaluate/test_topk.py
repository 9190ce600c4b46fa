import pytest
import torch

from vitlab.data.images import Images
from vitlab.evaluate.topk import evaluate
from vitlab.tasks._base import Scores


def scores(images, targets, keys):
    """Run r's loss for an image is its first pixel times r + 1; it is a hit if that pixel is even."""
    assert keys is None
    values = images[:, :, 0, 0, 0] * torch.arange(1, len(images) + 1)[:, None]
    hits = (images[:, :, 0, 0, 0] % 2 == 0).float()
    return Scores(values, {"loss": values, "top1": hits}, images[..., 0, 0, :])


def prepare(pixels, labels, keys):
    return pixels.float(), labels


@pytest.mark.parametrize("batch", [512, 4, 10, 1])
def test_means_are_over_images_however_they_are_batched(batch):
    """Ten images in batches of four: the last two count as two."""
    pixels = torch.arange(10, dtype=torch.uint8)[:, None, None, None].expand(10, 1, 2, 3)
    means, logits = evaluate(scores, prepare, Images(pixels, torch.zeros(10, dtype=torch.long)), 2, batch)
    assert means == [{"loss": 4.5, "top1": 0.5}, {"loss": 9.0, "top1": 0.5}]
    assert logits.shape == (2, 10, 3)
    assert logits[1, :, 0].tolist() == list(range(10))


def test_sums_are_in_double_precision():
    """A million losses of 0.1, one of a million: single precision would lose the small ones."""
    images = Images(torch.zeros(1000, 1, 1, 1, dtype=torch.uint8), torch.zeros(1000, dtype=torch.long))
    values = torch.full((1, 1000), 1e-4)
    values[0, 0] = 1e5

    def steep(batch, targets, keys):
        part = values[:, steep.seen : steep.seen + batch.shape[1]]
        steep.seen += batch.shape[1]
        return Scores(part, {"loss": part}, part[..., None])

    steep.seen = 0
    means, _ = evaluate(steep, prepare, images, runs=1)
    assert means[0]["loss"] == pytest.approx(values.double().mean().item(), rel=1e-14)


def test_no_gradient_is_kept():
    weight = torch.ones(1, requires_grad=True)

    def learned(batch, targets, keys):
        result = batch[:, :, 0, 0, 0] * weight
        assert not result.requires_grad
        return Scores(result, {}, result[..., None])

    evaluate(learned, prepare, Images(torch.zeros(3, 1, 1, 1, dtype=torch.uint8), torch.zeros(3).long()), runs=1)
