"""Oracles for sources whose library is not at hand: what published definitions compute, over tensors by their names."""

from pathlib import Path

import torch
from torch.nn.functional import silu

from vitlab.checkpoints import published
from vitlab.checkpoints.source._base import Content
from vitlab.models.vit import ViT


def drawn(shapes, seed=0):
    """Random tensors of these shapes: none is zero or one, none so large that a softmax has one answer."""
    generator = torch.Generator().manual_seed(seed)
    return {name: 0.3 * torch.randn(*shape, generator=generator) for name, shape in shapes.items()}


def read(tensors, **terms):
    """What vitlab makes of them, without a file."""
    return published.of_content(Content(Path("weights.pth"), tensors), **terms)


def loaded(found):
    """The model of ours, with their weights."""
    with torch.device("meta"):  # nothing is drawn that is overwritten at once
        model = ViT(found.spec)
    model.load_state_dict(found.tensors, assign=True)
    return model


def check_says(found, images, expected):
    """Whether our model says what theirs does."""
    with torch.no_grad():
        torch.testing.assert_close(loaded(found)(images), expected, rtol=1e-10, atol=1e-10)


def check_comes_back(found, tensors):
    """Whether what vitlab writes is what it has read."""
    back = published.write(found.source, found.spec, found.tensors)
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


# ------------------------------------------------------------------------------------- the parts of all definitions


def gelu(x):
    return x * (1 + torch.erf(x / 2**0.5)) / 2


def layer_norm(x, weight, bias, eps=1e-6):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias


def attend(q, k, v):
    """three of [B, N, heads, K] -> [B, N, heads · K]"""
    weights = (torch.einsum("bnhk,bmhk->bhnm", q, k) / q.shape[-1] ** 0.5).softmax(-1)
    return torch.einsum("bhnm,bmhk->bnhk", weights, v).flatten(2)


def patches(images, kernel, bias):
    """images [B, C, H, W], kernel [D, C, P, P] -> [B, L, D], row by row"""
    size = kernel.shape[-1]
    cut = images.unfold(2, size, size).unfold(3, size, size)  # [B, C, rows, columns, P, P]
    return torch.einsum("bcrsij,dcij->brsd", cut, kernel).flatten(1, 2) + bias


# --------------------------------------------------------------------------------------------- those of timm's names


def timm_shapes(width=128, depth=2, hidden=192, patch=4, positions=10, classes=0):
    """The names and shapes of a ViT, as timm's code of 2021 has it and those who copied it."""
    block = {
        **{f"norm{n}.{p}": (width,) for n in "12" for p in ("weight", "bias")},
        "attn.qkv.weight": (3 * width, width),
        "attn.qkv.bias": (3 * width,),
        "attn.proj.weight": (width, width),
        "attn.proj.bias": (width,),
        "mlp.fc1.weight": (hidden, width),
        "mlp.fc1.bias": (hidden,),
        "mlp.fc2.weight": (width, hidden),
        "mlp.fc2.bias": (width,),
    }
    return {
        "cls_token": (1, 1, width),
        "pos_embed": (1, positions, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
        **{f"blocks.{i}.{name}": shape for i in range(depth) for name, shape in block.items()},
        "norm.weight": (width,),
        "norm.bias": (width,),
        **({"head.weight": (classes, width), "head.bias": (classes,)} if classes else {}),
    }


def linear(p, name, x):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def norm(p, name, x):
    return layer_norm(x, p[f"{name}.weight"], p[f"{name}.bias"])


def mlp(p, at, x):
    """Two layers, or DINOv2's gated form."""
    if f"{at}.w12.weight" in p:
        gate, value = linear(p, f"{at}.w12", x).chunk(2, dim=-1)
        return linear(p, f"{at}.w3", silu(gate) * value)
    return linear(p, f"{at}.fc2", gelu(linear(p, f"{at}.fc1", x)))


def timm_block(p, at, x, heads=2):
    """`x + γ₁·attn(norm1(x))`, then `x + γ₂·mlp(norm2(x))`, under any of the names of γ."""
    scales = [next((p[at + name] for name in names if at + name in p), 1.0) for names in _SCALES]
    q, k, v = linear(p, f"{at}attn.qkv", norm(p, f"{at}norm1", x)).unflatten(-1, (3, heads, -1)).unbind(2)
    x = x + scales[0] * linear(p, f"{at}attn.proj", attend(q, k, v))
    return x + scales[1] * mlp(p, f"{at}mlp", norm(p, f"{at}norm2", x))


_SCALES = (("gamma_1", "ls1.gamma"), ("gamma_2", "ls2.gamma"))


def timm_patches(p, images):
    return patches(images, p["patch_embed.proj.weight"], p["patch_embed.proj.bias"])


def timm_prefix(p, name, images):
    return p[name].expand(len(images), -1, -1)
