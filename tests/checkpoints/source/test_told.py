"""What tensors tell of a model, and what has to be known besides."""

import pytest
import torch

from tests.checkpoints.source.by_hand import read, timm_shapes
from vitlab.base.errors import CheckpointError, SpecError


def of_width(width, positions=None, **terms):
    shapes = timm_shapes(width=width)
    shapes |= {} if positions is None else {"pos_embed": (1, positions, width)}
    with torch.device("meta"):
        return read({name: torch.empty(shape) for name, shape in shapes.items()}, **terms)


@pytest.mark.parametrize(
    ("width", "heads"),
    [(192, 3), (384, 6), (768, 12), (1024, 16), (1152, 16), (1280, 16), (1408, 16), (1536, 24), (1664, 16)],
)
def test_attention_heads_are_those_of_published_models_of_that_width(width, heads):
    found = of_width(width)
    assert found.spec.num_heads == heads
    assert any(f"{heads} attention heads of {width // heads} channels" in note for note in found.notes)


def test_heads_that_a_name_does_not_tell_are_said_to_be_assumed():
    assert any("assumed" in note and "GELU" not in note for note in of_width(384, model="vit_base_patch16_224").notes)
    assert not any("assumed" in note for note in of_width(768, model="vit_base_patch16_224").notes)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"img_size": "x"}, "img_size='x'"), ({"mlp_ratio": None}, "mlp_ratio"), ({"num_heads": "x"}, "whole number")],
)
def test_a_setting_that_cannot_be_is_not_the_fault_of_the_file(settings, said):
    with pytest.raises(SpecError, match=said):
        of_width(64, settings=settings)


def test_one_number_is_both_sides_of_a_picture():
    size = of_width(64).spec.img_size
    assert size[0] == size[1]
    assert of_width(64, settings={"img_size": size[0]}).spec.img_size == size


def test_of_another_width_somebody_has_to_say_it():
    with pytest.raises(CheckpointError, match="how many attention heads share 40 channels"):
        of_width(40)
    assert of_width(40, settings={"num_heads": 5}).spec.num_heads == 5
    assert of_width(40, settings={"num_heads": 5}, model="vit_base_patch16_224").spec.num_heads == 5


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ({}, ["attention head", "GELU", "eps of 1e-6"]),
        ({"num_heads": 6}, ["GELU", "eps of 1e-6"]),
        ({"mlp": "quick_gelu"}, ["attention head", "eps of 1e-6"]),
        ({"num_heads": 6, "mlp": "quick_gelu", "norm": "layer"}, []),
    ],
)
def test_what_somebody_has_said_is_not_assumed_and_everything_else_is_told(settings, taken):
    (note, *_) = [*(each for each in of_width(384, settings=settings).notes if "no tensor tells" in each), ""]
    assert [each for each in ("attention head", "GELU", "eps of 1e-6") if each in note] == taken


def test_positions_that_may_be_of_another_picture_are_told():
    """24 + 1 of 4 × 6 patches and a cls token are taken for 5 × 5 patches without one."""
    assert any("25 positions are those of a square picture" in note for note in of_width(64, positions=25).notes)
    assert not any("square picture" in note for note in of_width(64).notes)


def test_how_pictures_were_prepared_is_assumed_aloud():
    assert any("nothing says how pictures were prepared: brought to" in note for note in of_width(64).notes)
    named = of_width(768, model="vit_base_patch16_224").notes
    assert not any("how pictures were prepared" in note for note in named)


def test_a_name_that_says_another_depth_is_told():
    notes = of_width(768, model="vit_base_patch16_224").notes
    assert any(note.startswith("depth=12 by its name") for note in notes)
