import pytest
import torch
from torch.nn.functional import pad

from vitlab.nn.patch_embed import pixel_cnn

pytestmark = pytest.mark.usefixtures("double")


def convolved(x, layer):
    """A 3×3 convolution as the sum of nine shifted images, each through its matrix."""
    wide, (height, width) = pad(x, (1, 1, 1, 1)), x.shape[-2:]
    found = layer.bias[:, None, None].expand(len(x), -1, height, width)
    for row in range(3):
        for column in range(3):
            window = wide[:, :, row : row + height, column : column + width]
            found = found + torch.einsum("bchw,dc->bdhw", window, layer.weight[:, :, row, column])
    return found


@pytest.mark.parametrize("widths", [(32, 64), (5,), ()])
def test_every_convolution_has_its_relu_and_every_pixel_is_a_token(widths, tiny_spec, normal, randomise):
    spec = tiny_spec(patch_embed={"name": "pixel_cnn", "widths": list(widths)})
    embed, images = randomise(spec.patch_embed.build(spec.dims())), normal(2, 3, 8, 12)
    x = images
    for layer in [*embed.stem[::2], embed.proj]:
        x = convolved(x, layer).clamp(min=0)
    tokens = embed(images)
    assert tokens.shape == (2, spec.dims().num_patches, 16) == (2, 96, 16)
    for row, column in ((0, 0), (0, 11), (3, 4), (7, 11)):
        torch.testing.assert_close(tokens[:, 12 * row + column], x[:, :, row, column], rtol=1e-12, atol=1e-12)


def test_nanovits_stem_has_its_parameters(tiny_dims):
    embed = pixel_cnn.Spec().build(tiny_dims(embed_dim=128))
    assert sum(parameter.numel() for parameter in embed.parameters()) == 93_248
    assert [layer.out_channels for layer in embed.stem[::2]] == [32, 64]
