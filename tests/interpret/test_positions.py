"""How alike positions are, of every kind of position embedding."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from vitlab.base.spec import component_names
from vitlab.interpret.positions import position_similarity
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")
SILENT = {"none", "relative"}  # no positions; positions that only a query brings out


@pytest.mark.parametrize("place", ["stem", "every_layer", "every_layer_shared"])
def test_of_added_vectors_it_is_their_cosine(place, tiny_spec, randomise):
    model = randomise(ViT(tiny_spec(pos_embed={"name": "learned", "place": place}, num_registers=1)))
    table = model.pos_embed if place == "stem" else model.pos_embed.tables[0]
    patches = table.weight[0, model.num_prefix_tokens :]
    expected = cosine_similarity(patches[:, None], patches[None, :], dim=-1)
    torch.testing.assert_close(position_similarity(model), expected, rtol=0, atol=1e-12)


def test_of_rotations_it_falls_with_the_distance(tiny_spec):
    alike = position_similarity(ViT(tiny_spec(pos_embed="rope2d")))
    torch.testing.assert_close(alike.diagonal(), torch.ones(len(alike)), rtol=0, atol=1e-12)
    assert alike[0, 1] < 1
    torch.testing.assert_close(alike[0, 1], alike[1, 2], rtol=0, atol=1e-12)  # the offset alone counts


def test_of_a_bias_it_is_the_mean_over_heads(tiny_spec, randomise):
    model = randomise(ViT(tiny_spec(pos_embed="relative_bias")))
    prefix = model.num_prefix_tokens
    queries = torch.zeros(1, model.spec.num_heads, model.spec.dims().num_tokens, model.spec.dims().head_dim)
    bias = model.pos_embed.layer(0).bias(queries)
    torch.testing.assert_close(position_similarity(model), bias[:, prefix:, prefix:].mean(0))


@pytest.mark.parametrize("name", component_names("vitlab.nn.pos_embed"))
def test_every_kind_has_one_or_says_nothing(name, tiny_spec, randomise):
    model = randomise(ViT(tiny_spec(pos_embed=name)))
    alike = position_similarity(model)
    patches = model.spec.dims().num_patches
    assert (alike is None) == (name in SILENT)
    assert alike is None or alike.shape == (patches, patches)
