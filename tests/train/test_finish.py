import numpy as np
import torch

from vitlab.data.images import Images
from vitlab.tasks import classify
from vitlab.train.finish import write_predictions


def test_the_worst_mistakes_come_first(tmp_path):
    """Four images: right, wrong and sure, wrong and unsure, right."""
    logits = torch.tensor([[9.0, 0.0, 0.0], [0.0, 8.0, 0.0], [0.0, 1.0, 1.1], [0.0, 0.0, 2.0]])
    pixels = torch.arange(4 * 3 * 2 * 2).reshape(4, 3, 2, 2).to(torch.uint8)
    images = Images(pixels, torch.tensor([0, 0, 1, 2]))
    write_predictions(tmp_path / "predictions.npz", images, logits, classify.Spec())
    with np.load(tmp_path / "predictions.npz") as file:
        assert file["split"] == "test"
        assert file["labels"].tolist() == [0, 0, 1, 2]
        assert file["mistakes"].tolist() == [1, 2]
        np.testing.assert_allclose(file["probabilities"], logits.softmax(-1), rtol=1e-6)
        assert file["mistake_pixels"].shape == (2, 2, 2, 3)
        assert file["mistake_pixels"][0, 0, 1].tolist() == pixels[1, :, 0, 1].tolist()


def test_no_mistake_is_no_picture(tmp_path):
    images = Images(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.tensor([1]))
    write_predictions(tmp_path / "predictions.npz", images, torch.tensor([[0.0, 1.0]]), classify.Spec())
    with np.load(tmp_path / "predictions.npz") as file:
        assert file["mistake_pixels"].shape == (0, 2, 2, 1)
