import pytest
import torch

from vitlab.nn.mixer import pooling
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")

ROWS, COLUMNS = 3, 4
SIZES = {"img_size": [12, 16]}
PREFIXES = [{"cls_token": False, "pool": "mean"}, {}, {"num_registers": 2}]


@pytest.mark.parametrize("settings", PREFIXES, ids=str)
@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_it_is_the_mean_of_the_neighbours_that_exist_less_the_patch(size, settings, tiny_dims, normal):
    dims = tiny_dims(**SIZES, **settings)
    mixer, prefix, x = pooling.Spec(size=size).build(dims), dims.num_prefix_tokens, normal(2, dims.num_tokens, 16)
    y = mixer(x, PosEmbed())
    patches = {divmod(place, COLUMNS): x[:, prefix + place] for place in range(ROWS * COLUMNS)}
    for place, (row, column) in enumerate(patches):
        near = [
            value for (r, c), value in patches.items() if abs(r - row) <= size // 2 and abs(c - column) <= size // 2
        ]
        expected = sum(near) / len(near) - x[:, prefix + place]
        torch.testing.assert_close(y[:, prefix + place], expected, rtol=0, atol=1e-13)
    for token in range(prefix):
        expected = sum(patches.values()) / len(patches) - x[:, token]
        torch.testing.assert_close(y[:, token], expected, rtol=0, atol=1e-13)


def test_patches_see_no_prefix_token(tiny_dims, normal):
    mixer, x = pooling.Spec().build(tiny_dims(num_registers=1)), normal(1, 8, 16)
    changed = x.clone()
    changed[:, :2] += 1
    moved = (mixer(changed, PosEmbed()) != mixer(x, PosEmbed())).any(dim=(0, 2))
    assert moved.tolist() == [True] * 2 + [False] * 6


def test_a_mirrored_image_is_mirrored_and_another_order_is_not_kept(tiny_dims, normal):
    mixer, x = pooling.Spec().build(tiny_dims(**SIZES)), normal(1, 13, 16)
    places = torch.arange(12).unflatten(0, (ROWS, COLUMNS))
    y = mixer(x, PosEmbed())
    for mirrored in (places.flip(0), places.flip(1)):
        order = torch.cat([torch.tensor([0]), 1 + mirrored.flatten()])
        torch.testing.assert_close(mixer(x[:, order], PosEmbed()), y[:, order], rtol=0, atol=1e-13)
    order = torch.cat([torch.tensor([0]), 1 + places.roll(1, dims=1).flatten()])
    assert not torch.allclose(mixer(x[:, order], PosEmbed()), y[:, order])


@pytest.mark.peer
@pytest.mark.parametrize("size", [3, 5])
def test_it_is_timms(size, tiny_dims, normal):
    timm = pytest.importorskip("timm.models.metaformer")
    dims = tiny_dims(**SIZES, cls_token=False, pool="mean")
    x = normal(2, 12, 16)
    image = x.transpose(1, 2).unflatten(2, (ROWS, COLUMNS))
    expected = timm.Pooling(size)(image).flatten(2).transpose(1, 2)
    torch.testing.assert_close(pooling.Spec(size=size).build(dims)(x, PosEmbed()), expected, rtol=0, atol=1e-14)
