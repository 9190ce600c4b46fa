from itertools import pairwise

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from vitlab.base.spec import with_settings
from vitlab.models.spec import preset
from vitlab.models.vit import ViT
from vitlab.nn.auxiliary import auto_encoder

pytestmark = pytest.mark.usefixtures("double")

ALPHA, LAMBDA = 1.6732632423543772, 1.0507009873554805  # arXiv 1706.02515, equation 14


def selu(x):
    return LAMBDA * torch.where(x > 0, x, ALPHA * (x.exp() - 1))


def test_r0s_published_code_written_out(tiny_dims, normal, randomise):
    """Patches of 4: two convolutions down to the grid of 2 × 3, and two back."""
    part = randomise(auto_encoder.Spec(weight=0.7).build(tiny_dims()))
    images, patches = normal(4, 3, 8, 12), normal(4, 6, 16)
    p = dict(part.named_parameters())
    assert {name: tuple(value.shape) for name, value in p.items()} == {
        "encoder.0.weight": (3, 3, 3, 3),
        "encoder.0.bias": (3,),
        "encoder.2.weight": (16, 3, 3, 3),
        "encoder.2.bias": (16,),
        "decoder.0.weight": (16, 3, 4, 4),
        "decoder.0.bias": (3,),
        "decoder.2.weight": (3, 3, 4, 4),
        "decoder.2.bias": (3,),
    }
    code = selu(conv2d(images, p["encoder.0.weight"], p["encoder.0.bias"], stride=2, padding=1))
    code = selu(conv2d(code, p["encoder.2.weight"], p["encoder.2.bias"], stride=2, padding=1))
    drawn = selu(conv_transpose2d(code, p["decoder.0.weight"], p["decoder.0.bias"], stride=2, padding=1))
    drawn = selu(conv_transpose2d(drawn, p["decoder.2.weight"], p["decoder.2.bias"], stride=2, padding=1))
    found = part(images, patches)
    for row in range(2):
        for column in range(3):
            token = 3 * row + column
            expected = patches[:, token] + code[:, :, row, column]
            torch.testing.assert_close(found.patches[:, token], expected, rtol=0, atol=1e-12)
    loss = torch.stack([0.7 * ((drawn[i] - images[i]) ** 2).sum() / (3 * 8 * 12) for i in range(4)])
    torch.testing.assert_close(found.loss, loss, rtol=1e-12, atol=0)


@pytest.mark.parametrize("patch_size", [2, 4, 8, 16])
def test_there_are_as_many_convolutions_as_the_patch_has_halvings(patch_size, tiny_dims, normal):
    dims = tiny_dims(patch_size=patch_size, img_size=[2 * patch_size, 3 * patch_size])
    part = auto_encoder.Spec().build(dims)
    count = patch_size.bit_length() - 1
    widths = [3] * count + [16]
    assert [(c.in_channels, c.out_channels) for c in part.encoder[::2]] == list(pairwise(widths))
    widths.reverse()
    assert [(c.in_channels, c.out_channels) for c in part.decoder[::2]] == list(pairwise(widths))
    images = normal(2, 3, *dims.img_size)
    assert part.decoder(part.encoder(images)).shape == images.shape
    assert part(images, normal(2, 6, 16)).patches.shape == (2, 6, 16)


@pytest.mark.parametrize(("classes", "parameters"), [(10, 2_694_196), (100, 2_711_566)])
def test_tomvit_with_it_has_the_printed_parameters(classes, parameters):
    with torch.device("meta"):
        model = ViT(with_settings(preset("r0_tomvit"), {"auxiliary": "auto_encoder", "num_classes": classes}))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
