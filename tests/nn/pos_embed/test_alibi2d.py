from math import sqrt

import pytest
import torch

from vitlab.nn.pos_embed import alibi2d

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("prefix", [0, 1, 3])
@pytest.mark.parametrize("heads", [2, 8])
def test_it_is_the_written_definition(heads, prefix, tiny_dims, normal):
    settings = {"num_registers": prefix - 1} if prefix else {"cls_token": False, "pool": "mean"}
    dims = tiny_dims(num_heads=heads, **settings)
    bias = alibi2d.Spec().build(dims).layer(1).bias(normal(2, heads, dims.num_tokens, 16 // heads))
    expected = torch.zeros(heads, dims.num_tokens, dims.num_tokens)
    for h in range(heads):
        for i in range(6):
            for j in range(6):
                (y, x), (v, u) = divmod(i, 3), divmod(j, 3)
                expected[h, prefix + i, prefix + j] = -(2 ** (-8 * (h + 1) / heads)) * sqrt((y - v) ** 2 + (x - u) ** 2)
    torch.testing.assert_close(bias, expected, rtol=0, atol=1e-14)


def test_eight_heads_have_the_papers_slopes(tiny_dims):
    biases = alibi2d.Spec().build(tiny_dims(num_heads=8)).biases
    assert (-biases[:, 1, 2]).tolist() == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]


def test_it_is_a_constant_and_no_part_of_a_checkpoint(tiny_dims):
    positions = alibi2d.Spec().build(tiny_dims())
    assert not list(positions.parameters())
    assert positions.state_dict() == {}
