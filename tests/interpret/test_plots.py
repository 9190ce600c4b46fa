"""Figures: each of what its function gives, with the numbers in it."""

import sys

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from vitlab import interpret
from vitlab.base.errors import SpecError, UserError
from vitlab.interpret.knockout.curve import head_curve
from vitlab.interpret.knockout.measure import measure
from vitlab.interpret.knockout.outcome import outcome
from vitlab.interpret.knockout.parts import knockouts
from vitlab.models.vit import ViT

NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec(num_registers=1, depth=2))).eval()


@pytest.fixture
def images(normal):
    return normal(3, 3, 8, 12).float()


@pytest.fixture
def pictures():
    return [np.full((8, 12, 3), 100 * number, np.uint8) for number in range(3)]


def matrices(figure):
    """The numbers of every picture in a figure."""
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def curves(figure):
    """The values of every line in a figure."""
    return [np.asarray(line.get_ydata(), float) for line in figure.axes[0].lines]


def test_maps_over_pictures(model, images, pictures):
    grid = interpret.grid_of(model)
    maps = grid.fold(interpret.attention_maps(model, images, layers=[-1], queries=[0])[0, :, 0, 0])
    drawn = matrices(interpret.plot_maps(maps, pictures, NAMES[:3]))
    assert len(drawn) == 6
    np.testing.assert_allclose(drawn[1], maps[0].numpy(), rtol=1e-6)
    assert len(matrices(interpret.plot_maps(maps))) == 3
    with pytest.raises(SpecError, match="2 pictures for 3 maps"):
        interpret.plot_maps(maps, pictures[:2])


def test_by_layer(model, images):
    distance = interpret.attention_distance(model, images)
    *heads, mean = curves(interpret.plot_by_layer(distance, "pixels"))
    assert len(heads) == distance.shape[-1]
    np.testing.assert_allclose(mean, distance.mean((1, 2)).numpy())
    norms = interpret.token_norms(model, images)
    median, largest, *own = curves(interpret.plot_token_norms(norms, 2))
    assert len(own) == 2
    np.testing.assert_allclose(largest, norms[:, :, 2:].amax((1, 2)).numpy(), rtol=1e-6)
    assert (median <= largest).all()


def test_logits(model, images):
    found = interpret.logit_attribution(model, images)
    (matrix,) = matrices(interpret.plot_logit_attribution(found, 1))
    assert matrix.shape == (2, 3)  # two heads and an MLP
    inside = [value for part, value in zip(found.parts, found.values[1].tolist(), strict=True) if "blocks" in part]
    assert float(matrix.sum()) == pytest.approx(sum(inside), abs=1e-5)
    lens = interpret.logit_lens(model, images)
    lines = curves(interpret.plot_logit_lens(lens, NAMES))
    np.testing.assert_allclose(lines[0], lens[:, 0].softmax(-1)[:, lens[-1, 0].argmax()].numpy(), rtol=1e-5)


def test_likeness_of_layers(model, normal):
    found = interpret.cka(model, [normal(6, 3, 8, 12).float()])
    drawn = interpret.plot_cka(found, ["0", "1", "2"])
    np.testing.assert_allclose(matrices(drawn)[0], found.numpy())
    assert [text.get_text() for text in drawn.axes[0].get_yticklabels()] == ["0", "1", "2"]


def test_positions(model):
    grid, alike = interpret.grid_of(model), interpret.position_similarity(model)
    assert len(matrices(interpret.plot_position_similarity(alike, grid))) == 6
    by_distance = interpret.similarity_by_distance(model)
    (line,) = curves(interpret.plot_similarity_by_distance(by_distance))
    assert line.tolist() == by_distance.similarity.tolist()


def test_filters_and_colours(model, images, pictures):
    assert len(matrices(interpret.plot_filters(interpret.filter_components(model, 10)))) == 10
    colours = interpret.patch_colours(model, images)
    assert len(matrices(interpret.plot_colours(colours, pictures))) == 6
    assert len(matrices(interpret.plot_colours(colours))) == 3


def test_attribution_and_patching(model, images):
    relevant = interpret.relevance(model, images, "rollout")
    deleted, inserted = curves(interpret.plot_areas(interpret.deletion_insertion(model, images, relevant)))
    assert deleted[0] == pytest.approx(inserted[-1], abs=1e-5)
    found = interpret.activation_patching(model, images[0], images[1])
    whole, folded = matrices(interpret.plot_patching(found, interpret.grid_of(model)))
    assert (whole.shape, folded.shape) == ((2, 8), (2, 3))


def test_knockouts(model, images):
    parts, batches = knockouts(model), lambda: [(images, torch.tensor([0, 1, 2]))]
    found = outcome(parts, [measure(model, batches, parts)], "zero")
    (matrix,) = matrices(interpret.plot_knockouts(found))
    heads = {effect.site: 100 * effect.delta_top1 for effect in found.effects if effect.kind == "head"}
    expected = [[heads[f"blocks.{layer}.attn.z.{head}"] for head in range(2)] for layer in range(2)]
    np.testing.assert_allclose(matrix, expected)
    curve = head_curve(model, batches, parts, found)
    first, *_ = curves(interpret.plot_head_curve(curve))
    np.testing.assert_allclose(first, 100 * np.array(curve.top1))
    with pytest.raises(SpecError, match="no head"):
        interpret.plot_knockouts(found._replace(effects=()))


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_figure_is_saved_as_it_is(model, tmp_path, suffix):
    figure = interpret.plot_filters(interpret.filter_components(model, 4))
    assert isinstance(figure, Figure)
    figure.savefig(tmp_path / f"filters.{suffix}")
    assert (tmp_path / f"filters.{suffix}").stat().st_size > 500


def test_without_matplotlib_it_is_said_how_to_have_it(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UserError, match=r"pip install 'vitlab\[inside\]'"):
        interpret.plot_filters(interpret.filter_components(model, 4))
