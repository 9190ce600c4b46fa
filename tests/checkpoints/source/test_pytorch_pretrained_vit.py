"""Weights of R1's library, against its published definition by hand."""

import pytest
import torch

from tests.checkpoints.source.by_hand import (
    attend,
    check_comes_back,
    check_says,
    drawn,
    gelu,
    linear,
    norm,
    patches,
    read,
)
from vitlab.checkpoints import published


def shapes(representation=None, classes=5):
    width, hidden, depth = 128, 192, 2
    block = {
        **{f"attn.proj_{each}": (width, width) for each in "qkv"},
        "proj": (width, width),
        "pwff.fc1": (hidden, width),
        "pwff.fc2": (width, hidden),
    }
    layers = {f"transformer.blocks.{i}.{name}": shape for i in range(depth) for name, shape in block.items()}
    if representation:
        layers["pre_logits"] = (representation, width)
    layers["fc"] = (classes, representation or width)
    norms = ["norm", *(f"transformer.blocks.{i}.norm{n}" for i in range(depth) for n in (1, 2))]
    return {
        "class_token": (1, 1, width),
        "positional_embedding.pos_embedding": (1, 10, width),
        "patch_embedding.weight": (width, 3, 4, 4),
        "patch_embedding.bias": (width,),
        **{f"{name}.weight": shape for name, shape in layers.items()},
        **{f"{name}.bias": shape[:1] for name, shape in layers.items()},
        **{f"{name}.{p}": (width,) for name in norms for p in ("weight", "bias")},
    }


def features(p, images):
    """`ViT.forward` to the norm of the cls token."""
    x = patches(images, p["patch_embedding.weight"], p["patch_embedding.bias"])
    x = torch.cat([p["class_token"].expand(len(x), -1, -1), x], dim=1) + p["positional_embedding.pos_embedding"]
    for i in range(2):
        at = f"transformer.blocks.{i}."
        q, k, v = (
            linear(p, f"{at}attn.proj_{each}", norm(p, f"{at}norm1", x)).unflatten(-1, (2, -1)) for each in "qkv"
        )
        x = x + linear(p, f"{at}proj", attend(q, k, v))
        x = x + linear(p, f"{at}pwff.fc2", gelu(linear(p, f"{at}pwff.fc1", norm(p, f"{at}norm2", x))))
    return norm(p, "norm", x[:, 0])


@pytest.mark.usefixtures("double")
def test_it_says_the_same_and_comes_back(tmp_path, normal):
    theirs, images = drawn(shapes()), normal(3, 3, 12, 12)
    torch.save(theirs, tmp_path / "B_16_imagenet1k.pth")
    found = published.read(tmp_path / "B_16_imagenet1k.pth")
    assert (found.source.name, found.spec.head.name, found.spec.norm.eps) == ("pytorch_pretrained_vit", "linear", 1e-6)
    check_says(found, images, linear(theirs, "fc", features(theirs, images)))
    check_comes_back(found, theirs)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("representation", [128, 32])
def test_pre_logits_are_read_as_google_trained_them(representation, normal):
    """tanh(pre_logits(norm x)), and a note says that the library itself has the norm last."""
    theirs, images = drawn(shapes(representation)), normal(3, 3, 12, 12)
    found = read(theirs)
    assert found.source.name == "pytorch_pretrained_vit"
    assert any("the other way round" in note for note in found.notes)
    expected = linear(theirs, "fc", linear(theirs, "pre_logits", features(theirs, images)).tanh())
    check_says(found, images, expected)
    check_comes_back(found, theirs)


def test_pictures_are_squeezed_into_a_square_and_normalised_to_one():
    ready = read(drawn(shapes())).preprocessing
    assert (ready.img_size, ready.fit, ready.ops, set(ready.mean + ready.std)) == ((12, 12), "squash", (), {0.5})
