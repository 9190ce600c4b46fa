"""Small models that know their preprocessing and their classes, and pictures for them."""

import numpy as np
import torch

from vitlab.checkpoints.trained import EquippedViT
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing
from vitlab.tasks import classify

NAMES = ("ant", "bee", "cat", "dog", "elk")


def equipped(spec: ViTSpec, seed: int = 0) -> EquippedViT:
    """A model with drawn weights that are large enough for its heads to differ."""
    torch.manual_seed(seed)
    before = Preprocessing(spec.img_size, "squash", (), (0.5,) * spec.in_chans, (0.25,) * spec.in_chans, NAMES)
    model = EquippedViT(spec, before, classify.Spec())
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    return model.eval()


def pictures(spec: ViTSpec, count: int = 3) -> list[np.ndarray]:
    """Arrays of bytes, [height, width, channels]."""
    drawn = np.random.default_rng(0)
    return [drawn.integers(0, 256, (*spec.img_size, spec.in_chans), dtype=np.uint8) for _ in range(count)]
