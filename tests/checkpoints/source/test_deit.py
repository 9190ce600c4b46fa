"""DeiT's models, against the published definition by hand."""

import pytest
import torch

from tests.checkpoints.source.by_hand import (
    check_comes_back,
    check_says,
    drawn,
    linear,
    norm,
    read,
    timm_block,
    timm_patches,
    timm_prefix,
    timm_shapes,
)
from vitlab.checkpoints import published

DISTILLED = {"dist_token": (1, 1, 128), "head_dist.weight": (5, 128), "head_dist.bias": (5,)}
SCALES = {f"blocks.{i}.gamma_{n}": (128,) for i in range(2) for n in (1, 2)}


def blocks(p, x):
    for i in range(2):
        x = timm_block(p, f"blocks.{i}.", x)
    return norm(p, "norm", x)


def distilled_says(p, images):
    """`DistilledVisionTransformer`, at inference."""
    prefix = [timm_prefix(p, name, images) for name in ("cls_token", "dist_token")]
    x = blocks(p, torch.cat([*prefix, timm_patches(p, images)], dim=1) + p["pos_embed"])
    return (linear(p, "head", x[:, 0]) + linear(p, "head_dist", x[:, 1])) / 2


def deit3_says(p, images):
    """`vit_models`: positions on the patches, and cls in front of them."""
    x = torch.cat([timm_prefix(p, "cls_token", images), timm_patches(p, images) + p["pos_embed"]], dim=1)
    return linear(p, "head", blocks(p, x)[:, 0])


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("source", ["deit", None])
def test_the_distilled_form_is_read_from_its_file(source, tmp_path, normal):
    """Without a hint it is timm's, which is the same function."""
    theirs, images = drawn(timm_shapes(positions=11, classes=5) | DISTILLED), normal(3, 3, 12, 12)
    torch.save({"model": theirs}, tmp_path / "deit.pth")
    found = published.read(tmp_path / "deit.pth", source)
    assert found.source.name == (source or "timm")
    check_says(found, images, distilled_says(theirs, images))
    check_comes_back(found, theirs)


@pytest.mark.usefixtures("double")
def test_deit_3_is_recognised_by_its_layer_scales(normal):
    theirs, images = drawn(timm_shapes(positions=9, classes=5) | SCALES), normal(3, 3, 12, 12)
    found = read(theirs)
    assert (found.source.name, found.spec.pos_embed.prefix) == ("deit", False)
    check_says(found, images, deit3_says(theirs, images))
    check_comes_back(found, theirs)


@pytest.mark.parametrize(("pixels", "decoded"), [(224, 256), (384, 438)])
def test_pictures_are_cut_in_proportion(pixels, decoded):
    with torch.device("meta"):
        shapes = timm_shapes(patch=16, positions=(pixels // 16) ** 2 + 1, classes=5)
        ready = read({name: torch.empty(shape) for name, shape in shapes.items()}, source="deit").preprocessing
    assert (ready.img_size, ready.ops[0].size, ready.std[0]) == ((decoded, decoded), (pixels, pixels), 0.229)
