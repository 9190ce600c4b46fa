"""MAE's pretrained and fine-tuned models, against the published definition by hand."""

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


def decoder():
    """Names and shapes of the decoder, which has blocks of the same kind."""
    blocks = {name: shape for name, shape in timm_shapes(width=64, depth=1).items() if name.startswith("blocks.")}
    return {
        "mask_token": (1, 1, 64),
        "decoder_pos_embed": (1, 10, 64),
        **{f"decoder_{name}": shape for name, shape in blocks.items()},
        **{f"decoder_{name}.weight": (64, 128) for name in ("embed", "pred")},
        **{f"decoder_{name}.bias": (64,) for name in ("embed", "pred", "norm")},
    }


def encoded(p, images):
    """The blocks' output, with nothing masked."""
    x = torch.cat([timm_prefix(p, "cls_token", images), timm_patches(p, images)], dim=1) + p["pos_embed"]
    for i in range(2):
        x = timm_block(p, f"blocks.{i}.", x)
    return x


@pytest.mark.usefixtures("double")
def test_a_pretrained_encoder_is_read_without_its_decoder(tmp_path, normal):
    encoder, images = drawn(timm_shapes()), normal(3, 3, 12, 12)
    torch.save({"model": encoder | drawn(decoder()), "epoch": 799}, tmp_path / "mae.pth")
    found = published.read(tmp_path / "mae.pth")
    assert (found.source.name, found.spec.num_classes, found.spec.pos_embed.name) == ("mae", 0, "learned")
    assert any("fixed positions" in note for note in found.notes)
    check_says(found, images, norm(encoder, "norm", encoded(encoder, images))[:, 0])
    check_comes_back(found, encoder)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("source", ["mae", None])
def test_a_model_fine_tuned_on_the_mean_of_the_patches(source, normal):
    """`global_pool=True`: the norm is behind the mean, which leaves cls out. timm's reading is the same."""
    shapes = {name.replace("norm.", "fc_norm."): shape for name, shape in timm_shapes().items() if name[:5] == "norm."}
    shapes |= {name: shape for name, shape in timm_shapes(classes=5).items() if name[:5] != "norm."}
    theirs, images = drawn(shapes), normal(3, 3, 12, 12)
    found = read(theirs, source=source)
    assert (found.spec.pool.name, found.spec.final_norm) == ("mean", "after_pool")
    assert not any("fixed positions" in note for note in found.notes)
    pooled = norm(theirs, "fc_norm", encoded(theirs, images)[:, 1:].mean(1))
    check_says(found, images, linear(theirs, "head", pooled))
    check_comes_back(found, theirs)


@pytest.mark.parametrize("terms", [{"settings": {"num_heads": 1}}, {"model": "vit_base_patch16_224"}])
def test_what_else_is_said_of_it_does_not_change_what_it_pools(terms):
    shapes = {name.replace("norm.", "fc_norm."): shape for name, shape in timm_shapes().items() if name[:5] == "norm."}
    shapes |= {name: shape for name, shape in timm_shapes(classes=5).items() if name[:5] != "norm."}
    assert read(drawn(shapes), **terms).spec.pool.name == "mean"


@pytest.mark.usefixtures("double")
def test_a_model_fine_tuned_on_the_cls_token(normal):
    theirs, images = drawn(timm_shapes(classes=5)), normal(3, 3, 12, 12)
    found = read(theirs, source="mae")
    check_says(found, images, linear(theirs, "head", norm(theirs, "norm", encoded(theirs, images))[:, 0]))
    check_comes_back(found, theirs)


@pytest.mark.parametrize(("pixels", "decoded"), [(224, 256), (448, 448)])
def test_large_pictures_are_not_cut(pixels, decoded):
    with torch.device("meta"):
        theirs = {
            name: torch.empty(shape) for name, shape in timm_shapes(patch=16, positions=(pixels // 16) ** 2 + 1).items()
        }
        ready = read(theirs, source="mae").preprocessing
    assert (ready.img_size, ready.mean[0]) == ((decoded, decoded), 0.485)


def test_the_heads_of_its_huge_model_are_those_of_the_paper():
    with torch.device("meta"):
        theirs = {name: torch.empty(shape) for name, shape in timm_shapes(width=1280).items()}
        assert read(theirs, source="mae").spec.num_heads == 16
