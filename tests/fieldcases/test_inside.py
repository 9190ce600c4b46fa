"""Field cases about looking inside: second derivatives, what a map is made of, and where its tokens stand."""

import pytest
import torch

import vitlab
from vitlab import interpret
from vitlab.base.errors import SpecError, UserError
from vitlab.base.spec import component_names
from vitlab.interpret.activations import capture
from vitlab.interpret.attention import attention_maps
from vitlab.interpret.grid import grid_of, over_picture
from vitlab.interpret.rollout import rollout
from vitlab.nn.kernel import use_kernel

TINY = {"img_size": 16, "patch_size": 4, "depth": 1, "embed_dim": 16, "num_heads": 2, "num_classes": 3}


@pytest.mark.parametrize("attention", component_names("vitlab.nn.attention"))
def test_37_a_gradient_of_the_gradient_through_every_attention(attention):
    """The product of the second derivative with a direction, against a difference of first ones."""
    model = vitlab.create(attention=attention, **TINY).double().eval()
    use_kernel(model, "explicit")
    torch.manual_seed(0)
    images, direction = (torch.rand(2, 3, 16, 16, dtype=torch.float64) for _ in range(2))

    def slope(images):
        images = images.requires_grad_()
        return torch.autograd.grad(model(images).square().sum(), images, create_graph=True)[0], images

    gradient, at = slope(images)
    (product,) = torch.autograd.grad((gradient * direction).sum(), at)
    step = 1e-5
    above, below = (slope((images + sign * step * direction).detach())[0] for sign in (1, -1))
    difference = (above - below) / (2 * step)
    torch.testing.assert_close(product, difference, rtol=1e-4, atol=1e-6 * float(product.abs().max()))


@pytest.mark.parametrize("look", [attention_maps, rollout, lambda model, images: capture(model, images, "blocks.0")])
@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.rand(3, 16, 16), r"takes \[batch, 3 x 16 x 16\]: image\[None\] is a batch of one"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.uint8), "uint8 were not normalised"),
        (torch.rand(1, 3, 16, 16).double(), r"images.to\(torch.float32\)"),
        (torch.rand(0, 3, 16, 16), "no images"),
        ("seven.png", "str is no batch of images"),
    ],
    ids=["lone", "bytes", "double", "none", "path"],
)
def test_43_what_is_no_batch_of_images(look, images, said):
    with pytest.raises(SpecError, match=said):
        look(vitlab.create(**TINY), images)


@pytest.mark.parametrize("patch_embed", ["linear", "overlapping", "conv_stem"])
@pytest.mark.parametrize(("size", "patch"), [((8, 32), (4, 4)), ((32, 8), (16, 2))])
def test_45_a_map_is_folded_onto_a_picture_that_is_no_square(patch_embed, size, patch):
    sizes = {**TINY, "img_size": list(size), "patch_size": list(patch)}
    try:
        model = vitlab.create(patch_embed=patch_embed, num_registers=2, **sizes)
    except SpecError as refused:
        pytest.skip(str(refused))
    grid, images = grid_of(model), torch.rand(2, 3, *size)
    assert (grid.rows, grid.columns, grid.prefix) == (size[0] // patch[0], size[1] // patch[1], 3)
    row = attention_maps(model, images, queries=[0])[-1, :, :, 0]
    assert over_picture(grid.fold(row), size).shape == (2, 2, *size)
    assert rollout(model, images).sum(-1).allclose(torch.ones(2, grid.num_tokens))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda model, images: attention_maps(torch.compile(model), images), "a compiled model runs code of its own"),
        (lambda model, images: attention_maps(model, images, heads=[9]), r"heads=\[9\]: there are 2, and no 9"),
        (lambda model, images: attention_maps(model, images, queries=[]), r"queries=\[\]: which of 17"),
        (lambda model, images: capture(model, images, "blocks.0.attn.z", heads=[2]), r"heads=\[2\]: there are 2"),
        (lambda model, images: rollout(model, images, heads="median"), "unknown heads 'median'"),
        (lambda model, images: rollout(model, images, "gradients", classes=[1]), "1 classes for 2 images"),
        (lambda model, images: interpret.logit_attribution(model, images, [1]), "a class for each image"),
        (lambda model, images: interpret.logit_attribution(model, images, [1, -1]), "numbers below 3"),
        (lambda model, images: interpret.gradient_attention(model, images, [1, 99]), "numbers below 3"),
    ],
)
def test_a_choice_of_what_is_not_there_is_named(call, said):
    with pytest.raises(SpecError, match=said):
        call(vitlab.create(**TINY), torch.rand(2, 3, 16, 16))


@pytest.mark.parametrize(
    "look",
    [
        interpret.gradient_attention,
        interpret.logit_attribution,
        interpret.logit_lens,
        lambda model, images: interpret.activation_patching(model, images[0], images[1]),
        lambda model, images: interpret.shuffle_positions(model, [(images, torch.zeros(2))]),
        lambda model, images: interpret.relevance(model, images, "gradient_rollout"),
    ],
)
def test_features_are_no_classes(look):
    with pytest.raises(UserError, match="num_classes=0"):
        look(vitlab.create(**TINY | {"num_classes": 0}), torch.rand(2, 3, 16, 16))


def test_an_edit_that_returns_nothing_is_named():
    model = vitlab.create(**TINY)
    with pytest.raises(SpecError, match="returned a NoneType"), interpret.edit(model, {"blocks.0": lambda given: None}):
        model(torch.rand(1, 3, 16, 16))
