import pytest
import torch

from vitlab.base.spec import with_settings
from vitlab.models.spec import preset
from vitlab.models.vit import ViT
from vitlab.nn.patch_embed import spt

pytestmark = pytest.mark.usefixtures("double")


def moved(images, down, right):
    """Pixel by pixel: what was at (row, column) is at (row + down, column + right), zeros where nothing was."""
    height, width = images.shape[-2:]
    found = torch.zeros_like(images)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                found[..., row, column] = images[..., row - down, column - right]
    return found


@pytest.mark.parametrize("patch_size", [4, 2, (4, 2), (8, 3)])
def test_tokens_are_a_norm_and_a_matrix_on_patches_of_five_images(patch_size, tiny_dims, normal, randomise):
    height, width = patch_size if isinstance(patch_size, tuple) else (patch_size, patch_size)
    dims = tiny_dims(patch_size=[height, width])
    embed, images = randomise(spt.Spec().build(dims)), normal(2, 3, 8, 12)
    down, right = height // 2, width // 2
    shifts = [(0, 0), (-down, -right), (-down, right), (down, -right), (down, right)]
    stacked = torch.cat([moved(images, *shift) for shift in shifts], dim=1)
    tokens = embed(images)
    assert tokens.shape == (2, dims.num_patches, 16)
    for row in range(dims.grid[0]):
        for column in range(dims.grid[1]):
            patch = stacked[:, :, row * height : (row + 1) * height, column * width : (column + 1) * width].flatten(1)
            centred = patch - patch.mean(1, keepdim=True)
            normed = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt()
            normed = normed * embed.norm.weight + embed.norm.bias
            expected = normed @ embed.proj.weight.T + embed.proj.bias
            torch.testing.assert_close(tokens[:, row * dims.grid[1] + column], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("classes", "parameters"), [(10, 2_729_770), (100, 2_747_140)])
def test_r0s_vit_with_it_has_the_printed_parameters(classes, parameters):
    with torch.device("meta"):
        model = ViT(with_settings(preset("r0_vit"), {"patch_embed": "spt", "num_classes": classes}))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
