import pytest
import torch
from torch.nn.functional import conv2d

from vitlab.nn.patch_embed import linear

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("patch_size", [4, [4, 2], [2, 6], [8, 12], 1])
def test_it_is_the_convolution_whose_stride_is_its_kernel(patch_size, tiny_dims, normal, randomise):
    dims = tiny_dims(patch_size=patch_size)
    embed, images = randomise(linear.Spec().build(dims)), normal(3, 3, 8, 12)
    convolved = conv2d(images, embed.proj.weight, embed.proj.bias, stride=dims.patch_size)
    torch.testing.assert_close(embed(images), convolved.flatten(2).transpose(1, 2), rtol=0, atol=1e-12)


def test_patches_come_row_by_row(tiny_dims, normal, randomise):
    embed, images = randomise(linear.Spec().build(tiny_dims())), normal(1, 3, 8, 12)
    tokens, weight = embed(images)[0], embed.proj.weight.flatten(1)
    for row in range(2):
        for column in range(3):
            patch = images[0, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].flatten()
            torch.testing.assert_close(tokens[3 * row + column], weight @ patch + embed.proj.bias)


def test_without_a_bias_and_with_a_norm(tiny_dims, normal, randomise):
    dims = tiny_dims(norm="rms")
    embed, images = randomise(linear.Spec(bias=False, norm=True).build(dims)), normal(3, 3, 8, 12)
    convolved = conv2d(images, embed.proj.weight, stride=dims.patch_size).flatten(2).transpose(1, 2)
    scaled = convolved / (convolved.square().mean(-1, keepdim=True) + 1e-6).sqrt() * embed.norm.weight
    torch.testing.assert_close(embed(images), scaled, rtol=0, atol=1e-12)
    assert set(embed.state_dict()) == {"proj.weight", "norm.weight"}
