"""Activations seen and changed: what they are, what a change does, and that nothing of it stays."""

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.base.spec import component_names
from vitlab.interpret.activations import capture, capturing, edit
from vitlab.interpret.sites import sites
from vitlab.models.vit import ViT
from vitlab.nn.kernel import use_kernel

pytestmark = pytest.mark.usefixtures("double")
CLOSE = {"rtol": 0, "atol": 1e-11}


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec(num_registers=1)))


@pytest.fixture
def images(normal):
    return normal(3, 3, 8, 12)


def test_a_site_is_what_the_model_computes_there(model, images):
    caught = capture(model, images, ["embed", "blocks.*", "norm", "head"])
    tokens = model.embed(model.patches(images).patches)
    torch.testing.assert_close(caught["embed"], tokens, **CLOSE)
    torch.testing.assert_close(caught["blocks.0.in"], tokens, **CLOSE)
    for index, block in enumerate(model.blocks):
        torch.testing.assert_close(caught[f"blocks.{index}.norm1"], block.norm1(tokens), **CLOSE)
        tokens = block(tokens, model.pos_embed.layer(index))
        torch.testing.assert_close(caught[f"blocks.{index}"], tokens, **CLOSE)
    torch.testing.assert_close(caught["head"], model(images), **CLOSE)


@pytest.mark.parametrize("kernel", ["fused", "explicit"])
@pytest.mark.parametrize("name", component_names("vitlab.nn.attention"))
def test_of_every_mechanism_weights_times_values_are_what_heads_take(name, kernel, tiny_spec, randomise, images):
    model = randomise(ViT(tiny_spec(attention=name)))
    use_kernel(model, kernel)
    caught = capture(model, images, "blocks.1.attn.*")
    mixed = caught["blocks.1.attn.weights"] @ caught["blocks.1.attn.v"]
    torch.testing.assert_close(caught["blocks.1.attn.z"], mixed, **CLOSE)


@pytest.mark.parametrize("block", component_names("vitlab.nn.block"))
@pytest.mark.parametrize("mixer", component_names("vitlab.nn.mixer"))
def test_every_site_of_every_model_is_reached_and_returning_it_changes_nothing(
    block, mixer, tiny_spec, randomise, images
):
    model = randomise(ViT(tiny_spec(block=block, mixer=mixer, pool="attention", layer_scale=0.3, cls_token=True)))
    before = model(images)
    with edit(model, {name: lambda activation: activation * 1 for name in sites(model)}):
        torch.testing.assert_close(model(images), before, **CLOSE)
    assert capture(model, images, list(sites(model))).keys() == sites(model).keys()


def test_an_edit_acts_while_it_stands_and_nothing_of_it_stays(model, images):
    before = model(images)
    with edit(model, {"blocks.0.mlp": torch.zeros_like}):
        assert not torch.equal(model(images), before)
    assert torch.equal(model(images), before)
    assert not any("forward" in vars(module) for module in model.modules())


def test_nothing_stays_after_an_exception_either(model, images):
    def broken(activation):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), edit(model, {"blocks.*.attn.z": broken, "head": broken}):
        model(images)
    assert not any("forward" in vars(module) for module in model.modules())


def test_changed_weights_act_on_the_values(model, images):
    with edit(model, {"blocks.1.attn.weights": lambda weights: torch.eye(weights.shape[-1]).expand_as(weights)}):
        caught = capture(model, images, ["blocks.1.attn.v", "blocks.1.attn.z"])
    torch.testing.assert_close(caught["blocks.1.attn.z"], caught["blocks.1.attn.v"], **CLOSE)


def test_a_capture_inside_of_an_edit_sees_what_that_made(model, images):
    with edit(model, {"blocks.1.in": torch.zeros_like, "blocks.1.mlp": torch.ones_like}):
        caught = capture(model, images, ["blocks.1.in", "blocks.1.mlp"])
    assert not caught["blocks.1.in"].any()
    assert (caught["blocks.1.mlp"] == 1).all()


def test_several_edits_of_a_place_act_in_their_order(model, images):
    with edit(model, {"head": torch.zeros_like}), edit(model, {"head": lambda logits: logits + 2}):
        assert (model(images) == 2).all()


def test_some_layers_heads_and_queries_are_those_of_all(model, images):
    every = capture(model, images, ["blocks.*.attn.weights", "blocks.*.attn.v"])
    some = capture(model, images, "blocks.*.attn.[vw]*", layers=[-1], heads=[1], queries=[0, -1])
    assert some.keys() == {"blocks.1.attn.weights", "blocks.1.attn.v"}
    expected = every["blocks.1.attn.weights"][:, [1]][:, :, [0, -1]]
    torch.testing.assert_close(some["blocks.1.attn.weights"], expected, **CLOSE)
    torch.testing.assert_close(some["blocks.1.attn.v"], every["blocks.1.attn.v"][:, [1]], **CLOSE)


def test_what_is_caught_has_gradients(model, images):
    with capturing(model, "blocks.0.attn.weights") as caught:
        model(images).sum().backward()
    assert caught["blocks.0.attn.weights"].shape == (3, 2, 8, 8)
    with capturing(model, ["blocks.0"]) as caught:
        logits = model(images)
    (gradient,) = torch.autograd.grad(logits.sum(), caught["blocks.0"])
    assert gradient.shape == (3, 8, 16)


@pytest.mark.parametrize(
    ("names", "said"),
    [("blocks.0.atn", "unknown site 'blocks.0.atn'; did you mean blocks.0.attn"), ("blocks.9", "unknown site")],
)
def test_a_name_of_nothing_names_the_nearest(names, said, model, images):
    with pytest.raises(SpecError, match=said):
        capture(model, images, names)


def test_other_mistakes(model, images):
    with (
        pytest.raises(SpecError, match=r"the edit of head returned \[3\], and must return \[3, 5\]"),
        edit(model, {"head": lambda logits: logits[:, 0]}),
    ):
        model(images)
    with pytest.raises(SpecError, match="has 2 blocks, and no 2"):
        capture(model, images, "blocks.*", layers=[2])


def test_a_compiled_model_is_refused(model, images):
    compiled = torch.compile(model, backend="eager")
    with pytest.raises(SpecError, match="a compiled model runs code of its own"):
        capture(compiled, images, "head")
    model.compile(backend="eager")
    with pytest.raises(SpecError, match="a compiled model runs code of its own"):
        capture(model, images, "head")


def test_many_images_are_a_batch_as_one(model, normal):
    images = normal(19, 3, 8, 12)
    caught = capture(model, images, "blocks.0")
    assert caught["blocks.0"].shape == (19, 8, 16)
    torch.testing.assert_close(caught["blocks.0"][17:], capture(model, images[17:], "blocks.0")["blocks.0"], **CLOSE)
