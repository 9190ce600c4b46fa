from math import cos, sin

import pytest
import torch

from vitlab.nn.pos_embed import sincos2d

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("temperature", [10000.0, 7.0])
def test_it_is_the_written_definition(temperature, tiny_dims):
    dims = tiny_dims(num_registers=1)
    table = sincos2d.Spec(temperature=temperature).build(dims).add(torch.zeros(1, 8, 16))[0]
    half = dims.embed_dim // 2
    expected = torch.zeros(8, 16)
    for row in range(2):
        for column in range(3):
            for start, position in ((0, column), (half, row)):  # the column first
                for i in range(half // 2):
                    angle = position * temperature ** (-2 * i / half)
                    expected[2 + 3 * row + column, start + 2 * i] = sin(angle)
                    expected[2 + 3 * row + column, start + 2 * i + 1] = cos(angle)
    torch.testing.assert_close(table, expected, rtol=0, atol=1e-14)


def test_prefix_tokens_get_zero_and_patch_tokens_their_own_value(tiny_dims, normal):
    positions, x = sincos2d.Spec().build(tiny_dims()), normal(2, 7, 16)
    assert torch.equal(positions.add(x)[:, 0], x[:, 0])
    assert len(positions.table[0].unique(dim=0)) == 7


def test_it_is_a_constant_and_no_part_of_a_checkpoint(tiny_dims):
    positions = sincos2d.Spec().build(tiny_dims())
    assert not list(positions.parameters())
    assert positions.state_dict() == {}


def test_a_width_that_does_not_split_in_four_is_refused(tiny_dims):
    assert "sincos2d needs embed_dim divisible by 4" in sincos2d.Spec().conflict(tiny_dims(embed_dim=18))
    assert sincos2d.Spec().conflict(tiny_dims()) is None


@pytest.mark.peer
def test_it_is_timms_up_to_the_order_of_channels(tiny_dims):
    timm = pytest.importorskip("timm.layers")
    ours = sincos2d.Spec().build(tiny_dims(cls_token=False, pool="mean")).table[0]
    theirs = timm.build_sincos2d_pos_embed([2, 3], dim=16, dtype=torch.float64)  # computed in single precision inside
    ours = ours.unflatten(
        1, (2, 4, 2)
    )  # [L, x or y, frequency, sin or cos]; theirs: [L, sin or cos, y or x, frequency]
    torch.testing.assert_close(ours.flip(1).permute(0, 3, 1, 2).flatten(1), theirs, rtol=0, atol=1e-6)
