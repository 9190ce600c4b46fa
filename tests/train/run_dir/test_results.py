import numpy as np
import torch

from vitlab.data.images import Images
from vitlab.records.predictions import read_predictions
from vitlab.tasks import classify
from vitlab.train.run_dir.results import predictions_of


def test_the_worst_mistakes_come_first(tmp_path):
    """Four images: right, wrong and sure, wrong and unsure, right."""
    logits = torch.tensor([[9.0, 0.0, 0.0], [0.0, 8.0, 0.0], [0.0, 1.0, 1.1], [0.0, 0.0, 2.0]])
    pixels = torch.arange(4 * 3 * 2 * 2).reshape(4, 3, 2, 2).to(torch.uint8)
    predictions_of(Images(pixels, torch.tensor([0, 0, 1, 2])), logits, classify.Spec()).write(tmp_path)
    predictions = read_predictions(tmp_path)
    assert predictions.split == "test"
    assert predictions.labels.tolist() == [0, 0, 1, 2]
    assert predictions.mistakes.tolist() == [1, 2]
    np.testing.assert_allclose(predictions.probabilities, logits.softmax(-1), rtol=1e-6)
    assert predictions.mistake_pixels.shape == (2, 2, 2, 3)
    assert predictions.mistake_pixels[0, 0, 1].tolist() == pixels[1, :, 0, 1].tolist()


def test_no_mistake_is_no_picture():
    images = Images(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.tensor([1]))
    found = predictions_of(images, torch.tensor([[0.0, 1.0]]), classify.Spec())
    assert found.mistake_pixels.shape == (0, 2, 2, 1)
