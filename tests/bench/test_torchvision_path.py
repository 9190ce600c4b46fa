"""torchvision's data path does what ours does: the same operations, decoded to the same pixels but for rounding."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab.base.errors import UserError
from vitlab.base.spec import component_names, with_settings
from vitlab.bench import torchvision_path
from vitlab.data.decode import Frame, decode
from vitlab.recipes import recipe

pytestmark = pytest.mark.peer
pytest.importorskip("torchvision")


@pytest.mark.parametrize("name", ["r0_cifar10", "r1_scratch", "pictures"])
def test_a_batch_comes_out_in_the_models_size(name: str):
    spec = recipe(name)
    pictures = list(torch.randint(0, 256, (4, 3, *spec.data.img_size), dtype=torch.uint8))
    images, targets = torchvision_path.augmentation(spec)(pictures, torch.tensor([0, 1, 2, 3]))
    assert images.shape == (4, 3, *spec.model.img_size)
    assert images.isfinite().all()
    assert targets.shape in ((4,), (4, spec.model.num_classes))


def test_without_operations_it_is_normalisation():
    spec = with_settings(recipe("r0_cifar10"), {"augment": []})
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    images, _ = torchvision_path.augmentation(spec)(list(pictures), torch.tensor([0, 1]))
    mean, std = (torch.tensor(values)[:, None, None] for values in (spec.data.mean, spec.data.std))
    torch.testing.assert_close(images, (pictures / 255 - mean) / std)


def test_what_it_has_not_is_said():
    spec = with_settings(recipe("digits"), {"augment": ["trivial_augment"]})
    with pytest.raises(UserError, match="no counterpart of trivial_augment"):
        torchvision_path.augmentation(spec)
    assert "trivial_augment" in component_names("vitlab.augment.ops")


def test_it_decodes_to_the_same_pixels():
    smooth = np.linspace(0, 255, 60 * 90 * 3).reshape(60, 90, 3).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(smooth).save(buffer, "PNG")
    ours = decode(buffer.getvalue(), Frame((8, 8))).int()
    for decoder in torchvision_path.decoders(recipe("digits")).values():
        assert (decoder(buffer.getvalue()).int() - ours).abs().max() <= 2  # they resize first and then cut out
