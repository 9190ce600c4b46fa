"""Positions written out as a table: another spec, the same function."""

import pytest
import torch

from vitlab.models.tabled import has_other_table, tabled
from vitlab.models.vit import ViT, build

SIZES = {"img_size": [16, 24], "patch_size": 8, "embed_dim": 16, "num_heads": 2, "depth": 2, "num_registers": 1}


@pytest.mark.parametrize("kind", ["none", "sincos", "sincos2d", "learned_2d"])
@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_it_is_the_same_function(tiny_spec, randomise, kind, pool):
    model = randomise(build(tiny_spec(**SIZES, pos_embed=kind, pool=pool))).double()
    assert has_other_table(model)
    spec, tensors = tabled(model)
    again = ViT(spec).double()
    again.load_state_dict(tensors)
    images = torch.randn(2, 3, 16, 24, dtype=torch.float64)
    torch.testing.assert_close(again(images), model(images), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", ["learned", "rope2d", "alibi2d", {"name": "sincos2d", "place": "every_layer"}])
def test_what_is_a_table_or_no_table_at_the_stem_stays(tiny_spec, kind):
    assert not has_other_table(build(tiny_spec(**SIZES, pos_embed=kind)))
