"""A model at another size: which tensors change, which settings do, and what is said of it."""

import pytest
import torch

from vitlab.base.spec import with_settings
from vitlab.models.resizing import adapted, resized, told
from vitlab.models.vit import build
from vitlab.nn.resizing import Resizing

LARGER = {"img_size": [16, 20]}  # twice the rows and 5/3 of the columns of the tiny model's 2 × 3 patches


def at_another_size(before, changes):
    """The model before, the one after, its tensors, and what is said."""
    after = adapted(with_settings(before, changes), before)
    tensors = build(before, seed=3).state_dict()
    changed = resized(tensors, before, after, Resizing())
    return after, tensors, changed, told(tensors, changed, before, after)


@pytest.mark.parametrize(
    "positions", ["learned", {"name": "learned", "place": "every_layer"}, "learned_2d", "relative_bias",
                  {"name": "relative", "axes": 2}]
)  # fmt: skip
def test_tables_are_resized_and_the_model_takes_them(positions, tiny_spec, normal):
    after, tensors, changed, said = at_another_size(tiny_spec(pos_embed=positions, num_registers=2), LARGER)
    model = build(after)
    model.load_state_dict(changed)
    assert model(normal(2, 3, 16, 20)).isfinite().all()
    others = [name for name in tensors if not name.startswith("pos_embed.")]
    assert all(changed[name] is tensors[name] for name in others)
    assert said == ["positions resized from 2 × 3 to 4 × 5 patches"]


@pytest.mark.parametrize(("registers", "placed"), [(True, 3), (False, 1)])
def test_positions_of_prefix_tokens_stay(registers, placed, tiny_spec):
    before = tiny_spec(num_registers=2, pos_embed={"name": "learned", "registers": registers})
    _, tensors, changed, _ = at_another_size(before, LARGER)
    assert torch.equal(changed["pos_embed.weight"][:, :placed], tensors["pos_embed.weight"][:, :placed])
    assert changed["pos_embed.weight"].shape[1] == placed + 20


@pytest.mark.parametrize("positions", ["sincos2d", "rope2d", "alibi2d"])
def test_computed_positions_keep_their_range(positions, tiny_spec):
    before = tiny_spec(pos_embed=positions)
    after, _, _, said = at_another_size(before, LARGER)
    assert after.pos_embed.seen == (2, 3)
    assert said == ["positions stretched to the 2 × 3 patches of training, from 2 × 3 to 4 × 5 patches"]
    assert adapted(with_settings(after, {"img_size": [24, 24]}), after).pos_embed.seen == (
        2,
        3,
    )  # of the first training
    assert adapted(before, before) == before


def test_positions_that_cannot_be_stretched_run_on_and_it_is_said(tiny_spec):
    _, _, _, said = at_another_size(tiny_spec(pos_embed="sincos"), LARGER)
    assert said == ["positions run on from 2 × 3 to 4 × 5 patches: sincos has none that could be stretched"]


def test_positions_across_the_picture_need_no_stretching(tiny_spec):
    before = tiny_spec(pos_embed={"name": "rope2d", "coordinates": "picture"})
    after, _, _, said = at_another_size(before, LARGER)
    assert after.pos_embed == before.pos_embed
    assert said == ["positions are across the picture, from 2 × 3 to 4 × 5 patches"]


def test_twice_as_many_patches_stand_between_those_of_before(tiny_spec):
    """The middles of the halves of a patch are a quarter before and behind its own."""
    before = tiny_spec(pos_embed="sincos2d")
    after = adapted(with_settings(before, {"img_size": [16, 24]}), before)
    table = build(after).pos_embed.table[0, 1:].unflatten(0, (4, 6))
    columns = torch.tensor([-0.25, 0.25, 0.75, 1.25, 1.75, 2.25], dtype=torch.float64)
    waves = torch.stack([columns.sin(), columns.cos(), (columns / 10).sin(), (columns / 10).cos()], dim=1)
    torch.testing.assert_close(table[0, :, :4], waves.float()[:, [0, 1, 2, 3]])
    rows = columns[:4]
    torch.testing.assert_close(table[:, 0, 8], rows.sin().float())


def test_smaller_patches_resize_their_kernels(tiny_spec, normal):
    after, _, changed, said = at_another_size(tiny_spec(), {"patch_size": [2, 2]})
    assert changed["patch_embed.proj.weight"].shape == (16, 3, 2, 2)
    assert said == [
        "positions resized from 2 × 3 to 4 × 6 patches",
        "patch kernels resized from 4 × 4 to 2 × 2 pixels",
    ]
    model = build(after)
    model.load_state_dict(changed)
