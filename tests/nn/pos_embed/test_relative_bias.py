import pytest
import torch

from vitlab.nn.pos_embed import relative_bias
from vitlab.nn.pos_embed._offsets import offset_index

ROWS, COLUMNS = 2, 3
OFFSETS = (2 * ROWS - 1) * (2 * COLUMNS - 1)


@pytest.mark.parametrize("prefix", [0, 1, 3])
def test_it_is_the_tables_row_for_the_offset(prefix, tiny_dims, normal, randomise):
    without = {"cls_token": False, "pool": "mean"}
    dims = tiny_dims(**without) if prefix == 0 else tiny_dims(num_registers=prefix - 1)
    table = randomise(relative_bias.Spec().build(dims)).layer(0)
    bias = table.bias(normal(2, 2, dims.num_tokens, 8))
    assert bias.shape == (2, prefix + 6, prefix + 6)
    assert table.weight.shape == (OFFSETS + 3 * (prefix > 0), 2)
    for i in range(prefix + 6):
        for j in range(prefix + 6):
            if i < prefix and j < prefix:
                row = OFFSETS + 2
            elif i < prefix:
                row = OFFSETS
            elif j < prefix:
                row = OFFSETS + 1
            else:
                (y, x), (v, u) = divmod(i - prefix, COLUMNS), divmod(j - prefix, COLUMNS)
                row = (y - v + ROWS - 1) * (2 * COLUMNS - 1) + x - u + COLUMNS - 1
            assert torch.equal(bias[:, i, j], table.weight[row])


def test_every_row_of_the_table_is_used(tiny_dims):
    assert torch.equal(offset_index(tiny_dims(), axes=2).unique(), torch.arange(OFFSETS + 3))


def test_blocks_have_their_own_table_unless_it_is_shared(tiny_dims):
    own, shared = (relative_bias.Spec(shared=shared).build(tiny_dims(depth=3)) for shared in (False, True))
    assert len({id(own.layer(i)) for i in range(3)}) == 3
    assert len({id(shared.layer(i)) for i in range(3)}) == 1
    assert len(list(own.parameters())) == 3
    assert len(list(shared.parameters())) == 1


@pytest.mark.peer
def test_the_index_is_timms_for_beit(tiny_dims):
    timm = pytest.importorskip("timm.layers")
    theirs = timm.gen_relative_position_index((ROWS, COLUMNS), class_token=True)
    assert torch.equal(offset_index(tiny_dims(), axes=2), theirs)
