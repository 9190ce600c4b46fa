"""DINOv2's state dicts, against the published definition by hand."""

import pytest
import torch

from tests.checkpoints.source.by_hand import (
    check_comes_back,
    check_says,
    drawn,
    loaded,
    norm,
    read,
    timm_block,
    timm_patches,
    timm_prefix,
    timm_shapes,
)
from vitlab.base.errors import CheckpointError
from vitlab.base.spec import with_settings
from vitlab.checkpoints import published


def shapes(registers=0, gated=False):
    """Those of `DinoVisionTransformer`, with layer scales and a mask token."""
    found = timm_shapes() | {f"blocks.{i}.ls{n}.gamma": (128,) for i in range(2) for n in (1, 2)}
    found["mask_token"] = (1, 128)
    if registers:
        found["register_tokens"] = (1, registers, 128)
    for i in range(2) if gated else ():
        for p in ("weight", "bias"):
            del found[f"blocks.{i}.mlp.fc1.{p}"], found[f"blocks.{i}.mlp.fc2.{p}"]
        found |= {f"blocks.{i}.mlp.w12.weight": (176, 128), f"blocks.{i}.mlp.w12.bias": (176,)}
        found |= {f"blocks.{i}.mlp.w3.weight": (128, 88), f"blocks.{i}.mlp.w3.bias": (128,)}
    return found


def says(p, images):
    """`forward`: positions on cls and patches, registers between them, the norm, and the cls token."""
    x = torch.cat([timm_prefix(p, "cls_token", images), timm_patches(p, images)], dim=1) + p["pos_embed"]
    if "register_tokens" in p:
        x = torch.cat([x[:, :1], timm_prefix(p, "register_tokens", images), x[:, 1:]], dim=1)
    for i in range(2):
        x = timm_block(p, f"blocks.{i}.", x)
    return norm(p, "norm", x)[:, 0]


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("gated", [False, True])
def test_it_gives_its_features_and_comes_back(gated, normal):
    theirs, images = drawn(shapes(gated=gated)), normal(3, 3, 12, 12)
    found = read(theirs)
    assert (found.source.name, found.spec.mlp.name) == ("dinov2", "packed_swiglu" if gated else "gelu")
    check_says(found, images, says(theirs, images))
    del theirs["mask_token"]
    check_comes_back(found, theirs)


@pytest.mark.usefixtures("double")
def test_registers_have_no_positions_and_what_is_written_says_the_same(normal):
    """Where the position of cls is added to the token, the token itself comes back as another."""
    theirs, images = drawn(shapes(registers=4)), normal(3, 3, 12, 12)
    found = read(theirs)
    assert (found.spec.num_registers, found.spec.pos_embed.prefix) == (4, False)
    check_says(found, images, says(theirs, images))
    back = published.write(found.source, found.spec, found.tensors)
    assert {name: tensor.shape for name, tensor in back.items()} == {
        name: tensor.shape for name, tensor in theirs.items() if name != "mask_token"
    }
    torch.testing.assert_close(says(back, images), says(theirs, images), rtol=0, atol=1e-12)


def test_positions_of_registers_cannot_be_written():
    found = read(drawn(shapes(registers=4)))
    spec = with_settings(found.spec, {"pos_embed": "learned"})
    tensors = found.tensors | {"pos_embed.weight": torch.ones(1, 14, 128)}
    with pytest.raises(CheckpointError, match="no positions for registers: set pos_embed"):
        published.write(found.source, spec, tensors)


@pytest.mark.usefixtures("double")
def test_blocks_in_chunks_are_read_from_a_training(tmp_path, normal):
    """Of a block's two numbers the first is its chunk's; beside the backbone stand the heads of the pretraining."""
    theirs, images = drawn(shapes(registers=1, gated=True)), normal(2, 3, 12, 12)
    chunked = {
        name.replace("blocks.0.", "blocks.0.0.").replace("blocks.1.", "blocks.1.1."): each
        for name, each in theirs.items()
    }
    teacher = {f"backbone.{name}": each for name, each in chunked.items()}
    teacher |= {"dino_head.mlp.0.weight": torch.ones(2, 2), "ibot_head.last_layer.weight_g": torch.ones(2, 1)}
    torch.save({"teacher": teacher}, tmp_path / "teacher_checkpoint.pth")
    found = published.read(tmp_path / "teacher_checkpoint.pth")
    assert found.source.name == "dinov2"
    check_says(found, images, says(theirs, images))


def test_a_table_that_is_none_is_refused():
    with pytest.raises(CheckpointError, match="not laid out as DINOv2 checkpoints are"):
        read(drawn(shapes(registers=1) | {"pos_embed": (1, 10, 64)}))


def test_the_giants_heads_have_64_channels_and_a_head_begins_anew():
    found = read(drawn(shapes()))
    assert (found.spec.num_heads, found.spec.num_classes) == (2, 0)
    assert loaded(found)(torch.zeros(1, 3, 12, 12)).shape == (1, 128)
