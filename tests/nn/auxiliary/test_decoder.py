import pytest
import torch
from torch.nn.functional import selu

from vitlab.base.spec import with_settings
from vitlab.models.spec import preset
from vitlab.models.vit import ViT
from vitlab.nn.auxiliary import decoder

pytestmark = pytest.mark.usefixtures("double")


def transposed(x, layer):
    """Every value of the input lays its kernel, 4 × 4, at twice its place less the padding of 1."""
    batch, _, rows, columns = x.shape
    wide = x.new_zeros(batch, layer.out_channels, 2 * rows + 2, 2 * columns + 2)
    for row in range(rows):
        for column in range(columns):
            laid = torch.einsum("bi,iokl->bokl", x[:, :, row, column], layer.weight)
            wide[:, :, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += laid
    return wide[:, :, 1:-1, 1:-1] + layer.bias[:, None, None]


@pytest.mark.parametrize(("patch_size", "widths"), [(2, [16, 3]), (4, [16, 16, 3]), (8, [16, 16, 16, 3])])
def test_the_image_is_drawn_from_the_tokens(patch_size, widths, tiny_dims, normal, randomise):
    dims = tiny_dims(patch_size=patch_size, img_size=[2 * patch_size, 3 * patch_size])
    part = randomise(decoder.Spec(weight=0.3).build(dims))
    images, patches = normal(4, 3, *dims.img_size), normal(4, 6, 16)
    layers = part.decoder[::2]
    assert [layers[0].in_channels, *(layer.out_channels for layer in layers)] == widths
    x = torch.empty(4, 16, 2, 3)
    for row in range(2):
        for column in range(3):
            x[:, :, row, column] = patches[:, 3 * row + column]
    for layer in layers:
        x = selu(transposed(x, layer))
    found = part(images, patches)
    expected = 0.3 * ((x - images) ** 2).mean((1, 2, 3))
    torch.testing.assert_close(found.loss, expected, rtol=1e-12, atol=0)
    assert found.patches is patches


@pytest.mark.parametrize(("classes", "parameters"), [(10, 3_315_949), (100, 3_333_319)])
def test_tomvit_with_it_and_shifted_patches_has_the_printed_parameters(classes, parameters):
    changed = {"auxiliary": "decoder", "patch_embed": "spt", "num_classes": classes}
    with torch.device("meta"):
        model = ViT(with_settings(preset("r0_tomvit"), changed))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
