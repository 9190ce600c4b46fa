import pytest
import torch
from torch.nn.functional import pad

from vitlab.nn.patch_embed import linear, overlapping

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize(
    ("patch_size", "kernel", "sides", "before"),
    [  # the side of the kernel and how far it reaches above and to the left of the patch
        (4, None, (7, 7), (2, 2)),
        (2, None, (3, 3), (1, 1)),
        (1, None, (1, 1), (0, 0)),
        (1, 5, (5, 5), (2, 2)),
        (4, 5, (5, 5), (1, 1)),
        (4, 11, (11, 11), (4, 4)),
        ((4, 2), None, (7, 3), (2, 1)),
        ((4, 3), 9, (9, 9), (3, 3)),
    ],
)
def test_each_token_is_the_kernel_over_its_window(patch_size, kernel, sides, before, tiny_dims, normal, randomise):
    height, width = patch_size if isinstance(patch_size, tuple) else (patch_size, patch_size)
    dims = tiny_dims(patch_size=[height, width])
    embed, images = randomise(overlapping.Spec(kernel).build(dims)), normal(2, 3, 8, 12)
    tokens, weight = embed(images), embed.proj.weight
    assert weight.shape == (16, 3, *sides)
    wide = pad(images, (20, 20, 20, 20))
    for row in range(8 // height):
        for column in range(12 // width):
            top, left = 20 + row * height - before[0], 20 + column * width - before[1]
            window = wide[:, :, top : top + sides[0], left : left + sides[1]]
            expected = torch.einsum("bchw,dchw->bd", window, weight) + embed.proj.bias
            torch.testing.assert_close(tokens[:, row * (12 // width) + column], expected, rtol=0, atol=1e-12)
    assert tokens.shape[1] == dims.num_patches


@pytest.mark.parametrize("patch_size", [1, 3, 5])
def test_a_kernel_of_the_patch_is_the_linear_embedding(patch_size, tiny_dims, normal, randomise):
    dims = tiny_dims(patch_size=patch_size, img_size=[2 * patch_size, 3 * patch_size])
    embed = randomise(overlapping.Spec(patch_size).build(dims))
    plain = linear.Spec().build(dims)
    plain.load_state_dict(embed.state_dict())
    images = normal(2, 3, *dims.img_size)
    torch.testing.assert_close(embed(images), plain(images), rtol=0, atol=1e-12)


@pytest.mark.parametrize("patch_size", [2, 4, 8, 14, 16, 32])
def test_the_grid_is_that_of_patches_without_overlap(patch_size, tiny_dims):
    dims = tiny_dims(patch_size=patch_size, img_size=[2 * patch_size, 3 * patch_size])
    smallest = patch_size | 1
    for kernel in (None, smallest, smallest + 2, 4 * patch_size + 1):
        with torch.device("meta"):
            tokens = overlapping.Spec(kernel).build(dims)(torch.zeros(1, 3, *dims.img_size))
        assert tokens.shape == (1, 6, 16)


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("stage", [0, 1, 2])
def test_kernel_stride_and_padding_are_cvts(stage, tiny_dims):
    peer = pytest.importorskip("transformers").CvtConfig()
    dims = tiny_dims(patch_size=peer.patch_stride[stage])
    proj = overlapping.Spec().build(dims).proj
    assert proj.kernel_size == (peer.patch_sizes[stage],) * 2
    assert proj.padding == (peer.patch_padding[stage],) * 2
