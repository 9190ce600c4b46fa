"""Knock-outs side by side are those one by one, in as many block evaluations as they take."""

import pytest
import torch

from vitlab.base.spec import component_names
from vitlab.interpret.activations import capture, edit
from vitlab.interpret.knockout.measure import measure
from vitlab.interpret.knockout.parts import Knockout, knockouts
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def batches(normal):
    images = normal(10, 3, 8, 12)
    labels = torch.arange(10) % 5
    return lambda: zip(images.split(4), labels.split(4), strict=True)


def whole(batches):
    return torch.cat([images for images, _ in batches()])


def test_all_parts_of_a_model(tiny_spec):
    found = knockouts(ViT(tiny_spec(num_registers=2)))
    assert [part.site for part in found if part.layer < 0] == [
        *(f"patches.{place}" for place in ("top_left", "top_right", "bottom_left", "bottom_right")),
        *("cls_token", "reg_token.0", "reg_token.1", "pos_embed"),
    ]
    assert [(part.site, part.kind) for part in found if part.layer == 1] == [
        ("blocks.1.attn.z.0", "head"),
        ("blocks.1.attn.z.1", "head"),
        ("blocks.1.attn", "attention"),
        ("blocks.1.mlp", "mlp"),
    ]


@pytest.mark.parametrize("mixer", component_names("vitlab.nn.mixer"))
@pytest.mark.parametrize("block", component_names("vitlab.nn.block"))
def test_every_block_and_mixer_has_parts_that_can_be_knocked_out(mixer, block, tiny_spec, randomise, batches):
    model = randomise(ViT(tiny_spec(mixer=mixer, block=block, num_registers=1)))
    found = measure(model, batches, knockouts(model))
    assert found.right.shape == (1 + len(knockouts(model)), 10)
    assert {part.kind for part in knockouts(model)} >= {"mlp", "register", "patches", "pos_embed"}
    assert (found.blocks, found.needed) == (found.needed, found.blocks)


def test_a_head_that_is_zero_is_that_of_an_edit(tiny_spec, randomise, batches):
    model = randomise(ViT(tiny_spec()))
    found = measure(model, batches, knockouts(model))
    place = 1 + [part.site for part in knockouts(model)].index("blocks.0.attn.z.1")

    def zeroed(z):
        z = z.clone()
        z[:, 1] = 0
        return z

    with torch.no_grad(), edit(model, {"blocks.0.attn.z": zeroed}):
        logits = model(whole(batches))
    labels = torch.arange(10) % 5
    expected = torch.nn.functional.cross_entropy(logits.float(), labels, reduction="none")
    torch.testing.assert_close(found.loss[place], expected, rtol=0, atol=1e-6)
    assert torch.equal(found.right[place], logits.argmax(-1) == labels)
    assert torch.equal(found.agrees[place], logits.argmax(-1) == model(whole(batches)).argmax(-1))


def test_knocking_out_every_head_is_removing_the_attention(tiny_spec, randomise, batches):
    model = randomise(ViT(tiny_spec()))
    found = measure(model, batches, [part for part in knockouts(model) if part.site == "blocks.1.attn"])
    with torch.no_grad(), edit(model, {"blocks.1.attn.z": torch.zeros_like}):
        logits = model(whole(batches))
    expected = torch.nn.functional.cross_entropy(logits.float(), torch.arange(10) % 5, reduction="none")
    torch.testing.assert_close(found.loss[1], expected, rtol=0, atol=1e-6)


def test_none_changes_nothing(tiny_spec, randomise, batches):
    model = randomise(ViT(tiny_spec()))
    found = measure(model, batches, [])
    assert found.right.shape == (1, 10)
    assert (found.blocks, found.needed) == (6, 6)


@pytest.mark.parametrize("replacement", ["zero", "mean", "resample"])
def test_it_takes_no_more_blocks_than_reusing_what_comes_before_needs(replacement, tiny_spec, randomise, batches):
    model = randomise(ViT(tiny_spec(depth=3)))
    found = measure(model, batches, knockouts(model), replacement)
    depth, inside, before = 3, 4, 6  # of each block; before the blocks
    assert found.needed == 3 * (depth + before * depth + inside * (3 + 2 + 1))
    assert found.blocks <= 1.05 * found.needed


def test_the_mean_stands_in_at_every_place(tiny_spec, randomise, batches):
    model = randomise(ViT(tiny_spec()))
    (part,) = [part for part in knockouts(model) if part.site == "blocks.0.mlp"]
    found = measure(model, batches, [part], "mean")
    mean = capture(model, whole(batches), "blocks.0.mlp")["blocks.0.mlp"].mean(0)
    with torch.no_grad(), edit(model, {"blocks.0.mlp": lambda given: mean.expand_as(given)}):
        logits = model(whole(batches))
    expected = torch.nn.functional.cross_entropy(logits.float(), torch.arange(10) % 5, reduction="none")
    torch.testing.assert_close(found.loss[1], expected, rtol=0, atol=1e-6)


def test_a_resampled_part_is_another_images(tiny_spec, randomise, batches):
    """Of a batch of two the other one is known."""
    model = randomise(ViT(tiny_spec()))
    images = whole(batches)[:2]
    (part,) = [part for part in knockouts(model) if part.site == "blocks.1.mlp"]
    found = measure(model, lambda: [(images, torch.tensor([1, 2]))], [part], "resample")
    with torch.no_grad(), edit(model, {"blocks.1.mlp": lambda given: given.flip(0)}):
        logits = model(images)
    expected = torch.nn.functional.cross_entropy(logits.float(), torch.tensor([1, 2]), reduction="none")
    torch.testing.assert_close(found.loss[1], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "positions", ["learned", "rope2d", "relative_bias", {"name": "sincos2d", "place": "every_layer"}]
)
def test_without_positions_patches_are_a_set(positions, tiny_spec, randomise, normal):
    model = randomise(ViT(tiny_spec(pos_embed=positions)))
    images = normal(2, 3, 8, 12)
    moved = images.roll((4, 4), (2, 3))
    (part,) = [part for part in knockouts(model) if part.kind == "pos_embed"]
    there, then = (
        measure(model, lambda given=each: [(given, torch.tensor([1, 2]))], [part]) for each in (images, moved)
    )
    torch.testing.assert_close(there.loss[1], then.loss[1], rtol=0, atol=1e-6)
    assert (there.loss[0] - then.loss[0]).abs().max() > 1e-4
    assert model.pos_embed.__class__.__name__ != "PosEmbed"


def test_a_quarter_of_the_patches(tiny_spec, randomise, normal):
    model = randomise(ViT(tiny_spec()))
    (part,) = [part for part in knockouts(model) if part.site == "patches.bottom_left"]
    assert isinstance(part, Knockout)
    images = normal(3, 3, 8, 12)
    found = measure(model, lambda: [(images, torch.tensor([1, 2, 3]))], [part])
    patches = model.patches(images).patches.clone()
    patches[:, 3] = 0  # of 2 × 3 patches the left half is one column
    logits = model.classify(model.encode(model.embed(patches))).detach()
    expected = torch.nn.functional.cross_entropy(logits.float(), torch.tensor([1, 2, 3]), reduction="none")
    torch.testing.assert_close(found.loss[1], expected, rtol=0, atol=1e-6)
