from math import cos, sin

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.nn.pos_embed import sincos

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("temperature", [10000.0, 7.0])
def test_it_is_the_written_definition(temperature, tiny_dims):
    dims = tiny_dims(num_registers=1)
    table = sincos.Spec(temperature=temperature).build(dims).add(torch.zeros(1, 8, 16))[0]
    expected = torch.zeros(8, 16)
    for patch in range(6):  # row by row
        for i in range(8):
            angle = patch * temperature ** (-2 * i / 16)
            expected[2 + patch, 2 * i], expected[2 + patch, 2 * i + 1] = sin(angle), cos(angle)
    torch.testing.assert_close(table, expected, rtol=0, atol=1e-14)


def test_prefix_tokens_get_zero_and_patch_tokens_their_own_value(tiny_dims, normal):
    positions, x = sincos.Spec().build(tiny_dims()), normal(2, 7, 16)
    assert torch.equal(positions.add(x)[:, 0], x[:, 0])
    assert len(positions.table[0].unique(dim=0)) == 7


def test_it_is_a_constant_and_no_part_of_a_checkpoint(tiny_dims):
    positions = sincos.Spec().build(tiny_dims())
    assert not list(positions.parameters())
    assert positions.state_dict() == {}


def test_what_cannot_be_is_refused(tiny_dims):
    assert "sincos needs an even embed_dim" in sincos.Spec().conflict(tiny_dims(embed_dim=15, num_heads=1))
    assert sincos.Spec().conflict(tiny_dims(embed_dim=18)) is None
    with pytest.raises(SpecError, match=r"pos_embed\.temperature=0: must be positive"):
        sincos.Spec(temperature=0)
