import pytest
import torch

from vitlab.nn.pos_embed import learned_2d

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("registers", [0, 2])
def test_a_patch_gets_its_columns_and_its_rows_vector(registers, tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=registers)
    positions, tokens = randomise(learned_2d.Spec().build(dims)), normal(2, dims.num_tokens, 16)
    assert (positions.x.shape, positions.y.shape) == ((3, 8), (2, 8))
    expected, prefix = tokens.clone(), 1 + registers
    for row in range(2):
        for column in range(3):
            expected[:, prefix + 3 * row + column, :8] += positions.x[column]
            expected[:, prefix + 3 * row + column, 8:] += positions.y[row]
    assert torch.equal(positions.add(tokens), expected)


def test_an_odd_width_is_refused(tiny_dims):
    assert "learned_2d needs an even embed_dim" in learned_2d.Spec().conflict(tiny_dims(embed_dim=15, num_heads=1))
    assert learned_2d.Spec().conflict(tiny_dims(embed_dim=18)) is None
