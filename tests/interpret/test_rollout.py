"""Rollout against its equation, written out here a second time, and what may be said of its rows."""

import pytest
import torch

from vitlab.base.errors import SpecError, UserError
from vitlab.interpret.activations import edit
from vitlab.interpret.attention import attention_maps
from vitlab.interpret.rollout import rollout
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec(num_registers=1, depth=3)))


@pytest.fixture
def images(normal):
    return normal(3, 3, 8, 12)


def by_hand(maps, reduce):
    """Token by token, image by image."""
    _, batch, _, tokens, _ = maps.shape
    flow = torch.zeros(batch, tokens, tokens)
    for image in range(batch):
        carried = torch.eye(tokens)
        for layer in maps[:, image]:
            joined = reduce(layer)
            rows = [0.5 * row / row.sum() + 0.5 * torch.eye(tokens)[at] for at, row in enumerate(joined)]
            carried = torch.stack(rows) @ carried
        flow[image] = carried
    return flow


@pytest.mark.parametrize(
    ("heads", "reduce"), [("mean", lambda layer: layer.mean(0)), ("max", lambda layer: layer.max(0).values)]
)
def test_it_is_the_product_of_what_layers_pass_on(heads, reduce, model, images):
    expected = by_hand(attention_maps(model, images), reduce)
    torch.testing.assert_close(rollout(model, images, heads), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("heads", ["mean", "max", "gradients"])
@pytest.mark.parametrize("discard", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("attention", ["softmax", "lsa", "linear", "cosine", "performer", "gpsa"])
def test_rows_sum_to_one_and_none_is_negative(heads, discard, attention, tiny_spec, randomise, images):
    model = randomise(ViT(tiny_spec(attention=attention)))
    flow = rollout(model, images, heads, discard)
    assert flow.shape == (3, 7, 7)
    torch.testing.assert_close(flow.sum(-1), torch.ones(3, 7), rtol=0, atol=1e-9)
    assert (flow >= 0).all()


def test_what_is_discarded_is_the_least(model, images):
    maps = attention_maps(model, images)
    kept = maps.mean(2, keepdim=True)
    least = kept.argsort(-1)[..., : kept.shape[-1] // 2]
    expected = by_hand(kept.scatter(-1, least, 0.0), lambda layer: layer[0])
    torch.testing.assert_close(rollout(model, images, discard=0.5), expected, rtol=0, atol=1e-12)


def test_gradients_are_those_of_a_class_by_small_steps(tiny_spec, randomise, normal):
    """The gradient of a logit to one weight, by the difference that a small step makes: with one block."""
    model, image = randomise(ViT(tiny_spec(depth=1))), normal(1, 3, 8, 12)
    (weights,) = attention_maps(model, image)
    step, tokens = 1e-6, weights.shape[-1]
    gradient = torch.zeros_like(weights[0])
    with torch.no_grad():
        before = model(image)[0, 2]
        for head in range(weights.shape[1]):
            for place in range(tokens * tokens):
                moved = torch.zeros_like(weights)
                moved[0, head].view(-1)[place] = step
                with edit(model, {"blocks.0.attn.weights": lambda w, moved=moved: w + moved}):
                    gradient[head].view(-1)[place] = (model(image)[0, 2] - before) / step
    joined = (weights[0] * gradient).clamp_min(0).mean(0)
    total = joined.sum(-1, keepdim=True)
    shares = torch.where(total > 1e-6, joined / total, 0.0) + torch.eye(tokens)
    expected = shares / shares.sum(-1, keepdim=True)
    torch.testing.assert_close(rollout(model, image, "gradients", classes=[2])[0], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"attention": "sigmoid"}, "attention=sigmoid has weights that do not sum to one, so there is no rollout"),
        ({"attention": "talking_heads"}, "attention=talking_heads has weights"),
        ({"mixer": "differential"}, "mixer=differential has weights that do not sum to one"),
        ({"mixer": "token_mlp"}, "mixer=token_mlp has no attention, so there is no rollout"),
    ],
)
def test_where_rows_are_no_shares_it_is_refused_by_name(changed, said, tiny_spec, images):
    with pytest.raises(UserError, match=said):
        rollout(ViT(tiny_spec(**changed)), images)


def test_mistakes(model, images):
    with pytest.raises(SpecError, match="discard=1: must be from 0 to below 1"):
        rollout(model, images, discard=1)
    with pytest.raises(SpecError, match="heads=mean has nothing to do with classes"):
        rollout(model, images, classes=[0, 1, 2])
