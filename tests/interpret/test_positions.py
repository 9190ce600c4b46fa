"""How alike positions are, of every kind of position embedding."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from vitlab.base.errors import SpecError
from vitlab.base.spec import component_names
from vitlab.interpret.positions import position_similarity, shuffle_positions, similarity_by_distance
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


def test_similarity_by_distance_is_the_mean_over_pairs(tiny_spec, randomise):
    model = randomise(ViT(tiny_spec(pos_embed="learned")))
    alike = position_similarity(model)
    pairs: dict[float, list[float]] = {}
    for one in range(6):
        for other in range(6):
            far = 4 * ((one // 3 - other // 3) ** 2 + (one % 3 - other % 3) ** 2) ** 0.5
            pairs.setdefault(round(far, 6), []).append(float(alike[one, other]))
    found = similarity_by_distance(model)
    assert found.distance.tolist() == pytest.approx(sorted(pairs))
    assert found.similarity.tolist() == pytest.approx([sum(pairs[far]) / len(pairs[far]) for far in sorted(pairs)])
    assert similarity_by_distance(ViT(tiny_spec(pos_embed="none"))) is None


@pytest.mark.parametrize("pos_embed", component_names("vitlab.nn.pos_embed"))
def test_shuffled_positions_are_shuffled_pictures(pos_embed, tiny_spec, randomise, normal):
    """A model without positions does not notice; any other is shown a puzzle."""
    model = randomise(ViT(tiny_spec(pos_embed=pos_embed, pool="mean", depth=2))).eval()
    images, labels = 20 * normal(40, 3, 8, 12), torch.arange(40) % 5
    found = shuffle_positions(model, [(images[:25], labels[:25]), (images[25:], labels[25:])], times=2, seed=3)
    drawn = torch.Generator().manual_seed(3)
    cut = images.unflatten(3, (3, 4)).unflatten(2, (2, 4)).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    with torch.no_grad():
        whole = model(images).argmax(-1)
        for agreement, right in zip(found.agreement, found.shuffled_top1, strict=True):
            mixed = cut[:, torch.randperm(6, generator=drawn)].unflatten(1, (2, 3)).permute(0, 3, 1, 4, 2, 5)
            said = model(mixed.flatten(4).flatten(2, 3)).argmax(-1)
            assert agreement == pytest.approx(float((said == whole).float().mean()))
            assert right == pytest.approx(float((said == labels).float().mean()))
    assert found.images == 40
    assert found.top1 == pytest.approx(float((whole == labels).float().mean()))
    assert pos_embed != "none" or min(found.agreement) == 1


def test_no_images_have_no_positions_to_shuffle(tiny_spec):
    with pytest.raises(SpecError, match="no images"):
        shuffle_positions(ViT(tiny_spec()), [])
