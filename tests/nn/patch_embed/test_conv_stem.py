import pytest
import torch
from torch import nn

from vitlab.nn.patch_embed import conv_stem

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize(
    ("patch_size", "stages", "rest"),
    [
        (16, 4, (1, 1)),
        (8, 3, (1, 1)),
        (14, 1, (7, 7)),
        (6, 1, (3, 3)),
        (3, 0, (3, 3)),
        (1, 0, (1, 1)),
        ((4, 2), 1, (2, 1)),
        ((12, 8), 2, (3, 2)),
    ],
)
def test_any_patch_size_is_halvings_and_a_rest(patch_size, stages, rest, tiny_dims, normal):
    height, width = patch_size if isinstance(patch_size, tuple) else (patch_size, patch_size)
    dims = tiny_dims(patch_size=[height, width], img_size=[2 * height, 3 * width])
    embed = conv_stem.Spec().build(dims)
    convolutions = [layer for layer in embed.stem if isinstance(layer, nn.Conv2d)]
    assert [layer.stride for layer in convolutions] == [(2, 2)] * stages
    assert embed.proj.kernel_size == embed.proj.stride == rest
    assert embed(normal(2, 3, 2 * height, 3 * width)).shape == (2, 6, 16)


def test_channels_double_up_to_the_width(tiny_dims):
    embed = conv_stem.Spec().build(tiny_dims(patch_size=8, img_size=16))
    assert [layer.out_channels for layer in embed.stem if isinstance(layer, nn.Conv2d)] == [4, 8, 16]


def test_each_stage_is_convolution_norm_relu(tiny_dims, normal, randomise):
    embed, images = randomise(conv_stem.Spec().build(tiny_dims())), normal(2, 3, 8, 12)
    x = images
    for index in (0, 3):
        x = torch.conv2d(x, embed.stem[index].weight, stride=2, padding=1)
        mean, variance = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), correction=0, keepdim=True)
        norm = embed.stem[index + 1]
        x = (x - mean) / (variance + norm.eps).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None]
        x = x.clamp(min=0)
    x = torch.conv2d(x, embed.proj.weight, embed.proj.bias)
    torch.testing.assert_close(embed(images), x.flatten(2).transpose(1, 2), rtol=0, atol=1e-12)


def test_samples_of_a_batch_do_not_touch(tiny_dims, normal, randomise):
    embed, images = randomise(conv_stem.Spec().build(tiny_dims())), normal(4, 3, 8, 12)
    torch.testing.assert_close(embed(images)[:1], embed(images[:1]), rtol=0, atol=1e-12)


def test_a_width_that_cannot_be_halved_so_often_is_refused(tiny_dims):
    dims = tiny_dims(patch_size=64, img_size=64, embed_dim=16)
    assert "embed_dim >= 32 for patch_size (64, 64)" in conv_stem.Spec().conflict(dims)
    assert conv_stem.Spec().conflict(tiny_dims(patch_size=32, img_size=64, embed_dim=16)) is None
