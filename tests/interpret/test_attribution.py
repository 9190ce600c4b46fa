"""Attribution: against loops written here, and what its answers must add up to."""

import sys

import numpy as np
import pytest
import torch

from vitlab.base.errors import SpecError, UserError
from vitlab.interpret.activations import edit
from vitlab.interpret.attention import attention_maps
from vitlab.interpret.attribution import (
    Areas,
    deletion_insertion,
    gradient_relevance,
    integrated_gradients,
    occlusion,
    relevance,
)
from vitlab.interpret.grid import grid_of
from vitlab.models.vit import ViT
from vitlab.nn.kernel import use_kernel

pytestmark = pytest.mark.usefixtures("double")
METHODS = ("attention", "rollout", "gradient_rollout", "gradient_attention", "integrated_gradients", "occlusion")


@pytest.fixture
def model(tiny_spec, randomise):
    model = randomise(ViT(tiny_spec(num_registers=1, depth=2))).eval()
    use_kernel(model, "explicit")
    return model


@pytest.fixture
def images(normal):
    return normal(3, 3, 8, 12)


@pytest.mark.parametrize("baseline", [0.0, "noise"])
def test_integrated_gradients_add_up_to_the_difference_of_logits(model, images, normal, baseline):
    begins = normal(1, 3, 8, 12) if baseline == "noise" else baseline
    found = integrated_gradients(model, images, [0, 1, 2], begins, steps=400)
    before = model(torch.as_tensor(begins).expand_as(images))
    difference = (model(images) - before)[torch.arange(3), torch.arange(3)]
    torch.testing.assert_close(found.flatten(1).sum(1), difference.detach(), rtol=1e-8, atol=1e-8)


@pytest.mark.slow
def test_integrated_gradients_are_the_integral(model, images):
    """By a thousand steps to the middles of equal parts, one image and pixel after the other."""
    total = torch.zeros_like(images)
    for at in (np.arange(1000) + 0.5) / 1000:
        there = (images * at).requires_grad_()
        (slope,) = torch.autograd.grad(model(there)[:, 2].sum(), there)
        total += slope / 1000
    found = integrated_gradients(model, images, [2, 2, 2], steps=200)
    torch.testing.assert_close(found, total * images, rtol=1e-4, atol=1e-5 * float(found.abs().max()))


def test_occlusion_is_what_the_logit_loses(model, images):
    found = occlusion(model, images, [1, 1, 1])
    grid = grid_of(model)
    with torch.no_grad():
        for row in range(grid.rows):
            for column in range(grid.columns):
                covered = images.clone()
                patch = (slice(None), slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
                covered[:, *patch] = 0
                lost = (model(images) - model(covered))[:, 1]
                expected = lost[:, None, None].expand(3, 4, 4)
                torch.testing.assert_close(found[patch], expected, rtol=1e-6, atol=1e-8)  # single, inside


def test_gradient_times_attention_is_the_slope_of_each_weight(model, images):
    """By a small change of one weight at a time."""
    weights = attention_maps(model, images[:1], layers=[-1])[0, 0]
    queries = [0] if model.spec.pool.needs_cls_token else list(range(2, 8))
    expected = torch.zeros(6)
    name = "blocks.1.attn.weights"
    for head in range(len(weights)):
        for query in queries:
            for key in range(2, 8):
                logits = []
                for step in (1e-6, -1e-6):
                    change = torch.zeros_like(weights)
                    change[head, query, key] = step
                    with torch.no_grad(), edit(model, {name: lambda found, change=change: found + change}):
                        logits.append(model(images[:1])[0, 2])
                slope = (logits[0] - logits[1]) / 2e-6
                expected[key - 2] += max(0, float(slope * weights[head, query, key])) / len(weights) / len(queries)
    found = gradient_relevance(model, images[:1], [2])[0]
    torch.testing.assert_close(found.flatten(), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "changed", [{}, {"cls_token": False, "pool": "mean"}, {"num_registers": 2}, {"patch_size": [2, 4]}]
)
def test_every_method_has_a_value_for_every_patch(method, changed, tiny_spec, randomise, images):
    model = randomise(ViT(tiny_spec(**changed)))
    grid = grid_of(model)
    found = relevance(model, images, method)
    assert found.shape == (3, grid.rows, grid.columns)
    assert found.isfinite().all()
    assert found.std() > 0 or (method == "gradient_attention" and (found == 0).all())  # nothing speaks for the class


def test_relevance_of_pixels_is_summed_over_patches(model, images):
    pixels = integrated_gradients(model, images).sum(1)
    patches = relevance(model, images, "integrated_gradients")
    torch.testing.assert_close(patches[0, 1, 2], pixels[0, 4:8, 8:12].sum())
    torch.testing.assert_close(patches.sum((1, 2)), pixels.sum((1, 2)))


def test_deletion_and_insertion_by_hand(model, images, normal):
    relevant = normal(3, 2, 3)
    found = deletion_insertion(model, images, relevant, [2, 0, 1])
    assert found.share.tolist() == pytest.approx([number / 6 for number in range(7)])
    for image, target in enumerate((2, 0, 1)):
        order = sorted(range(6), key=lambda patch: -float(relevant[image].flatten()[patch]))
        for number in range(7):
            mixed, others = images[image].clone(), torch.zeros_like(images[image])
            for patch in order[:number]:
                place = (
                    slice(None),
                    slice(patch // 3 * 4, patch // 3 * 4 + 4),
                    slice(patch % 3 * 4, patch % 3 * 4 + 4),
                )
                mixed[place], others[place] = 0, images[image][place]
            with torch.no_grad():
                said = model(torch.stack([mixed, others])).softmax(-1)[:, target]
            assert found.deletion[image, number] == pytest.approx(float(said[0]), abs=1e-12)
            assert found.insertion[image, number] == pytest.approx(float(said[1]), abs=1e-12)


def test_areas_of_known_curves():
    share = torch.linspace(0, 1, 5)
    areas = Areas(share, 1 - share[None], torch.ones(1, 5))
    assert (float(areas.deletion_area), float(areas.insertion_area)) == (0.5, 1.0)


def test_what_is_said_to_matter_most_is_told_by_the_areas(model, images):
    """A class is due to one patch alone: to name it first makes the class go at once."""
    right = occlusion(model, images, [0, 0, 0])
    patches = right[:, ::4, ::4]
    best = deletion_insertion(model, images, patches, [0, 0, 0]).deletion_area
    worst = deletion_insertion(model, images, -patches, [0, 0, 0]).deletion_area
    assert (best < worst).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model, images: relevance(model, images, "gradcam"), "unknown method 'gradcam'"),
        (lambda model, images: occlusion(model, images, [0, 1]), "a class for each image"),
        (lambda model, images: integrated_gradients(model, images, [0, 1, 99]), "numbers below 5"),
        (lambda model, images: deletion_insertion(model, images, torch.zeros(3, 3, 2)), r"expected \[3, 2, 3\]"),
    ],
)
def test_mistakes(model, images, call, said):
    with pytest.raises(SpecError, match=said):
        call(model, images)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_without_captum_it_is_said_how_to_have_it(model, images, method, monkeypatch):
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(UserError, match=r"pip install 'vitlab\[inside\]'"):
        relevance(model, images, method)


def test_what_has_no_attention_or_no_head_is_refused_by_name(tiny_spec, images):
    without = ViT(tiny_spec(mixer="fft"))
    for method in ("attention", "rollout", "gradient_rollout", "gradient_attention"):
        with pytest.raises(UserError, match="mixer=fft has no attention"):
            relevance(without, images, method)
    with pytest.raises(UserError, match="num_classes=0"):
        relevance(ViT(tiny_spec(num_classes=0)), images, "occlusion")
