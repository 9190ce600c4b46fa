"""Where an additive embedding is added (arXiv 2010.11929, appendix D.4), for every variant that has a `place`."""

import importlib
from dataclasses import fields

import pytest
import torch

from vitlab.base.spec import component_names
from vitlab.models.vit import ViT
from vitlab.nn.pos_embed._base import AtStem, PosEmbed

pytestmark = pytest.mark.usefixtures("double")
DEPTH = 3
PLACES = ("stem", "every_layer", "every_layer_shared")
NAMES = [
    name
    for name in component_names("vitlab.nn.pos_embed")
    if "place" in {field.name for field in fields(importlib.import_module(f"vitlab.nn.pos_embed.{name}").Spec)}
]


def model_at(place, name, tiny_spec, randomise):
    """A model of which all but the tables is the same for every place."""
    model = randomise(ViT(tiny_spec(pos_embed={"name": name, "place": place}, depth=DEPTH)))
    for index, part in enumerate((model.patch_embed, model.blocks, model.norm, model.head)):
        randomise(part, 10 + index)
    torch.nn.init.constant_(model.cls_token, 0.3)
    tables = [module for module in model.pos_embed.modules() if isinstance(module, AtStem)]
    for index, table in enumerate(tables):
        randomise(table, 20 + index)
    return model, tables


def test_every_additive_embedding_has_a_place():
    assert {"learned", "learned_2d", "sincos", "sincos2d"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", PLACES)
def test_the_tables_are_added_where_they_are_told(place, name, tiny_spec, normal, randomise):
    model, tables = model_at(place, name, tiny_spec, randomise)
    assert len(tables) == {"stem": 1, "every_layer": DEPTH, "every_layer_shared": 1}[place]
    images = normal(2, 3, 8, 12)
    tokens = torch.cat([model.cls_token.expand(2, -1, -1), model.patch_embed(images)], dim=1)
    added = [table.add(torch.zeros(1, 7, 16)) for table in tables]
    at = {"stem": [added[0], 0, 0], "every_layer": added, "every_layer_shared": added * DEPTH}[place]
    for block, table in zip(model.blocks, at, strict=True):
        tokens = block(tokens + table, PosEmbed())
    torch.testing.assert_close(model(images), model.head(model.norm(tokens)[:, 0]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_place_changes_what_the_model_says(name, tiny_spec, normal, randomise):
    images = normal(2, 3, 8, 12)
    stem, every, shared = (model_at(place, name, tiny_spec, randomise)[0] for place in PLACES)
    assert (stem(images) - shared(images)).abs().max() > 1e-3
    different_tables = any(p.requires_grad for p in every.pos_embed.parameters())
    assert ((every(images) - shared(images)).abs().max() > 1e-3) == different_tables  # a constant is one everywhere
