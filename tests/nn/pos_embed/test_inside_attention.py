"""What positions that act inside attention have in common: two patches' logit depends on their offset only."""

import importlib
from itertools import product

import pytest
import torch

from vitlab.base.spec import component_names
from vitlab.nn.pos_embed import relative

pytestmark = pytest.mark.usefixtures("double")
PREFIX, ROWS, COLUMNS = 2, 4, 5
SPECS = {
    name: spec
    for name in component_names("vitlab.nn.pos_embed")
    if (spec := importlib.import_module(f"vitlab.nn.pos_embed.{name}").Spec()).gives_bias or spec.rotates
} | {"relative on the grid": relative.Spec(axes=2)}
BIASES = {name: spec for name, spec in SPECS.items() if not spec.rotates}  # a turned patch is not the same to anything


def logits(spec, tiny_dims, normal, randomise):
    """[H, N, N] of one block, where every token has the same content."""
    dims = tiny_dims(img_size=[4 * ROWS, 4 * COLUMNS], num_registers=PREFIX - 1)
    positions = randomise(spec.build(dims)).layer(1)
    q, k = (normal(2, 1, 8).expand(1, 2, PREFIX + ROWS * COLUMNS, 8) for _ in range(2))
    bias = positions.bias(q)
    q, k = positions.rotate(q, k)
    found = (q @ k.transpose(-2, -1))[0]
    return found if bias is None else found + bias.expand(1, *found.shape)[0]


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_logit_is_the_same_wherever_the_pair_stands(spec, tiny_dims, normal, randomise):
    patches = logits(spec, tiny_dims, normal, randomise)[:, PREFIX:, PREFIX:]
    grid = patches.unflatten(2, (ROWS, COLUMNS)).unflatten(1, (ROWS, COLUMNS))  # [H, y, x, v, u]
    by_offset = {}
    for y, x, v, u in product(range(ROWS), range(COLUMNS), range(ROWS), range(COLUMNS)):
        by_offset.setdefault((y - v, x - u), []).append(grid[:, y, x, v, u])
    assert max((torch.stack(same) - same[0]).abs().max() for same in by_offset.values()) < 1e-12
    near = torch.stack([by_offset[offset][0] for offset in ((0, 0), (0, 1), (1, 0), (1, 1))])
    assert len(near.unique(dim=0)) >= 3  # all four differ, but for alibi2d, to which a step is a step


@pytest.mark.parametrize("spec", BIASES.values(), ids=BIASES)
def test_every_patch_is_the_same_to_a_prefix_token(spec, tiny_dims, normal, randomise):
    found = logits(spec, tiny_dims, normal, randomise)
    for block in (found[:, :PREFIX, PREFIX:], found[:, PREFIX:, :PREFIX], found[:, :PREFIX, :PREFIX]):
        torch.testing.assert_close(block, block[:, :1, :1].expand_as(block), rtol=0, atol=1e-12)
