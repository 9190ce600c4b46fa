import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.base.spec import from_dict
from vitlab.models.vit import ViT
from vitlab.nn.pos_embed import relative

pytestmark = pytest.mark.usefixtures("double")
ROWS, COLUMNS = 2, 3
PATCHES = ROWS * COLUMNS
ON_THE_GRID = (2 * ROWS - 1) * (2 * COLUMNS - 1)


def row_of(i, j, prefix, axes):
    """The vector of query i and key j."""
    offsets = 2 * PATCHES - 1 if axes == 1 else ON_THE_GRID
    if i < prefix or j < prefix:
        return offsets + (2 if i < prefix and j < prefix else int(j < prefix))
    if axes == 1:
        return i - j + PATCHES - 1
    (y, x), (v, u) = divmod(i - prefix, COLUMNS), divmod(j - prefix, COLUMNS)
    return (y - v + ROWS - 1) * (2 * COLUMNS - 1) + x - u + COLUMNS - 1


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("prefix", [0, 1, 3])
def test_a_query_meets_the_vector_of_the_offset(prefix, axes, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=prefix - 1) if prefix else tiny_dims(cls_token=False, pool="mean")
    vectors = randomise(relative.Spec(axes=axes).build(dims)).layer(0)
    q = normal(2, 2, dims.num_tokens, 8)
    expected = torch.empty(2, 2, dims.num_tokens, dims.num_tokens)
    rows = {}
    for i in range(dims.num_tokens):
        for j in range(dims.num_tokens):
            rows[i, j] = row_of(i, j, prefix, axes)
            expected[:, :, i, j] = (q[:, :, i] * vectors.weight[rows[i, j]]).sum(-1) / 8**0.5
    torch.testing.assert_close(vectors.bias(q), expected, rtol=0, atol=1e-12)
    assert sorted(set(rows.values())) == list(range(len(vectors.weight)))  # every vector serves some pair
    assert vectors.weight.shape[1] == 8


def test_the_logits_are_those_of_keys_with_the_offsets_vector_added(tiny_spec, normal, randomise):
    """Shaw et al.'s equation 4: q_i · (k_j + r_ij) / √K."""
    model = randomise(ViT(tiny_spec(pos_embed="relative")))
    attn, positions, x = model.blocks[1].attn, model.pos_embed.layer(1), normal(2, 7, 16)
    q, k, _ = attn.queries_keys_values(x, positions)
    moved = k[:, :, None] + positions.weight[positions.index]  # [B, H, N, N, K]
    weights = (torch.einsum("bhik,bhijk->bhij", q, moved) / 8**0.5).softmax(-1)
    torch.testing.assert_close(attn.weights(x, positions), weights, rtol=0, atol=1e-12)


def test_blocks_have_their_own_table_unless_it_is_shared(tiny_dims):
    own, shared = (relative.Spec(shared=shared).build(tiny_dims(depth=3)) for shared in (False, True))
    assert len({id(own.layer(i)) for i in range(3)}) == len(list(own.parameters())) == 3
    assert len({id(shared.layer(i)) for i in range(3)}) == len(list(shared.parameters())) == 1


def test_three_axes_are_refused():
    with pytest.raises(SpecError, match="axes"):
        from_dict(relative.Spec, {"axes": 3})
