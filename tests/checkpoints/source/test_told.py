"""What tensors tell of a model, and what has to be known besides."""

import pytest
import torch

from tests.checkpoints.source.by_hand import read, timm_shapes
from vitlab.base.errors import CheckpointError


def of_width(width, **terms):
    with torch.device("meta"):
        return read({name: torch.empty(shape) for name, shape in timm_shapes(width=width).items()}, **terms)


@pytest.mark.parametrize(
    ("width", "heads"),
    [(192, 3), (384, 6), (768, 12), (1024, 16), (1152, 16), (1280, 16), (1408, 16), (1536, 24), (1664, 16)],
)
def test_attention_heads_are_those_of_published_models_of_that_width(width, heads):
    found = of_width(width)
    assert found.spec.num_heads == heads
    assert any(f"{heads} attention heads of {width // heads} channels" in note for note in found.notes)


def test_of_another_width_somebody_has_to_say_it():
    with pytest.raises(CheckpointError, match="how many attention heads share 40 channels"):
        of_width(40)
    assert of_width(40, settings={"num_heads": 5}).spec.num_heads == 5
