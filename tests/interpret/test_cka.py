"""CKA against its definition, its invariances, and minibatches against the whole."""

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.interpret.activations import capture, edit
from vitlab.interpret.cka import cka
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec()))


def unbiased(x, y):
    """Song et al. 2012, equation 4, as sums over quadruples of different images."""
    n = len(x)
    k, other = x @ x.T, y @ y.T
    pairs = sum(k[i, j] * other[i, j] for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    fours = [
        (i, j, q, r)
        for i in range(n) for j in range(n) for q in range(n) for r in range(n)
        if len({i, j, q, r}) == 4
    ]  # fmt: skip
    quadruples = sum(k[i, j] * other[q, r] for i, j, q, r in fours) / len(fours)
    threes = [(i, j, q) for i in range(n) for j in range(n) for q in range(n) if len({i, j, q}) == 3]
    triples = sum(k[i, j] * other[i, q] for i, j, q in threes) / len(threes)
    return pairs + quadruples - 2 * triples


def test_it_is_the_unbiased_estimate(model, normal):
    images = normal(6, 3, 8, 12)
    found = cka(model, [images], sites=["blocks.0", "head"])
    x, y = (each.flatten(1) for each in capture(model, images, ["blocks.0", "head"]).values())
    expected = unbiased(x, y) / (unbiased(x, x) * unbiased(y, y)) ** 0.5
    assert found[0, 1] == pytest.approx(float(expected), abs=1e-10)


def test_a_layer_is_as_it_is(model, normal):
    found = cka(model, [normal(8, 3, 8, 12)])
    assert found.shape == (3, 3)
    torch.testing.assert_close(found.diagonal(), torch.ones(3), rtol=0, atol=1e-12)
    torch.testing.assert_close(found, found.T, rtol=0, atol=1e-12)


def test_rotated_and_scaled_features_are_the_same(model, normal):
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(1)))
    images = normal(8, 3, 8, 12)
    before = cka(model, [images], sites=["blocks.0", "blocks.1.norm1"])
    with edit(model, {"blocks.1.norm1": lambda tokens: 3 * tokens @ rotation}):
        after = cka(model, [images], sites=["blocks.0", "blocks.1.norm1"])
    torch.testing.assert_close(after, before, rtol=0, atol=1e-10)


def test_minibatches_are_the_whole_in_expectation(tiny_spec, randomise, normal):
    """Of random features, which have nothing to do with each other, the mean over many small batches is near 0, where
    the biased estimate is near 1; and of related ones near that of the whole.
    """
    model = randomise(ViT(tiny_spec()))
    images = normal(240, 3, 8, 12)
    sites = ["embed", "blocks.1"]
    whole = cka(model, [images], sites=sites)
    parts = cka(model, images.split(8), sites=sites)
    torch.testing.assert_close(parts, whole, rtol=0, atol=0.03)


def test_of_two_models_that_see_images_of_their_own_sizes(tiny_spec, randomise, normal):
    small, large = randomise(ViT(tiny_spec())), randomise(ViT(tiny_spec(img_size=[16, 24], depth=3)), 1)
    images = normal(8, 3, 16, 24)
    found = cka(small, [(images[:, :, ::2, ::2], images)], other=large)
    assert found.shape == (3, 4)
    assert (found <= 1 + 1e-12).all()


def test_mistakes(model, normal):
    with pytest.raises(SpecError, match="a batch of 3 images: CKA needs at least 4"):
        cka(model, [normal(3, 3, 8, 12)])
    with pytest.raises(SpecError, match="no batch of images"):
        cka(model, [])
