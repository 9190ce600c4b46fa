import pytest
import torch

from vitlab.nn.patch_embed import pixels

pytestmark = pytest.mark.usefixtures("double")


def test_every_pixel_is_a_token_row_by_row(tiny_spec, normal, randomise):
    spec = tiny_spec(patch_embed="pixels", patch_size=5)  # which has no say, and need not divide the image
    embed, images = randomise(spec.patch_embed.build(spec.dims())), normal(2, 3, 8, 12)
    tokens = embed(images)
    assert tokens.shape == (2, spec.dims().num_patches, 16) == (2, 96, 16)
    for row in range(8):
        for column in range(12):
            expected = images[:, :, row, column] @ embed.proj.weight.T + embed.proj.bias
            torch.testing.assert_close(tokens[:, 12 * row + column], expected, rtol=0, atol=1e-12)


def test_it_is_one_matrix_with_a_bias(tiny_dims):
    embed = pixels.Spec().build(tiny_dims(embed_dim=128))
    assert {name: tuple(p.shape) for name, p in embed.named_parameters()} == {
        "proj.weight": (128, 3),
        "proj.bias": (128,),
    }
