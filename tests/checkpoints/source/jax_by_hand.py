"""vit_jax's and big_vision's models in NumPy, from their published code, over arrays by their names.

Conventions are JAX's: images [B, H, W, C], kernels [rows, columns, in, out], projections [D, heads, K]. Sources:
google-research/vision_transformer `vit_jax/models_vit.py`, `models_resnet.py`; big_vision `models/vit.py`.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

STAGES = {"R26-like": (1, 1, 1, 1), "R50+B/16-like": (1, 1, 2)}


def drawn(shapes, dtype=np.float64, seed=0):
    """Random arrays: kernels so small that numbers keep their size through the layers, scales near one."""
    generator, found = np.random.default_rng(seed), {}
    for name, shape in shapes.items():
        values = generator.standard_normal(shape, dtype)
        near = 1 if name.endswith("scale") else 0
        found[name] = values * summed_over(name, shape) ** -0.5 if name.endswith("kernel") else near + 0.3 * values
    return found


def summed_over(name, shape):
    """How many products of a kernel are added up."""
    to_heads = name.split("/")[-2] in ("query", "key", "value")
    return math.prod(shape[:1] if to_heads else shape[:-1])


# ------------------------------------------------------------------------------------------------------------- names


def dense(at, *shape):
    return {f"{at}/kernel": shape, f"{at}/bias": shape[-1:]}


def norm(at, width):
    return {f"{at}/scale": (width,), f"{at}/bias": (width,)}


def attending(at, width, heads, channels):
    to_heads = {f"{at}/{part}": (width, heads, channels) for part in ("query", "key", "value")}
    kernels = {f"{name}/kernel": shape for name, shape in to_heads.items()}
    biases = {f"{name}/bias": shape[1:] for name, shape in to_heads.items()}
    return kernels | biases | dense(f"{at}/out", heads, channels, width)


def mlp(at, width, hidden):
    return dense(f"{at}/Dense_0", width, hidden) | dense(f"{at}/Dense_1", hidden, width)


def block_shapes(at, numbers, width, heads, channels, hidden):
    return {
        **norm(f"{at}/LayerNorm_0", width),
        **attending(f"{at}/MultiHeadDotProductAttention_{numbers[0]}", width, heads, channels),
        **norm(f"{at}/LayerNorm_{numbers[1]}", width),
        **mlp(f"{at}/MlpBlock_{numbers[2]}", width, hidden),
    }


def resnet_shapes(stages):
    found = {"conv_root/kernel": (7, 7, 3, 64)} | norm("gn_root", 64)
    before = 64
    for n, depth in enumerate(stages):
        inner, outer = 64 << n, 256 << n
        for m in range(depth):
            at = f"block{n + 1}/unit{m + 1}"
            kernels = {"conv1": (1, 1, before, inner), "conv2": (3, 3, inner, inner), "conv3": (1, 1, inner, outer)}
            if m == 0:
                kernels["conv_proj"] = (1, 1, before, outer)
            found |= {f"{at}/{name}/kernel": shape for name, shape in kernels.items()}
            for name, shape in kernels.items():
                found |= norm(f"{at}/{name.replace('conv', 'gn')}", shape[-1])
            before = outer
    return found


def shapes(
    form="vit_jax", pool="tok", stages=(), representation=None, classes=5, *,
    width=24, depth=2, heads=3, channels=8, hidden=40, patch=4, tokens=9,
):  # fmt: skip
    """Of "vit_jax" or "big_vision"; `pool` is "tok", "gap" or "map"."""
    vit_jax, cls = form == "vit_jax", {"cls": (1, 1, width)} if pool == "tok" else {}
    positions = "Transformer/posembed_input/pos_embedding" if vit_jax else "pos_embedding"
    size, channels_in = (1, 128 << len(stages)) if stages else (patch, 3)
    found = cls | {positions: (1, tokens + (vit_jax and pool == "tok"), width)}
    found |= (resnet_shapes(stages) if stages else {}) | dense("embedding", size, size, channels_in, width)
    for i in range(depth):
        numbers = (1, 2, 3) if vit_jax else (0, 1, 0)
        found |= block_shapes(f"Transformer/encoderblock_{i}", numbers, width, heads, channels, hidden)
    found |= norm("Transformer/encoder_norm", width)
    if pool == "map":
        found |= {"MAPHead_0/probe": (1, 1, width)} | norm("MAPHead_0/LayerNorm_0", width)
        found |= attending("MAPHead_0/MultiHeadDotProductAttention_0", width, heads, channels)
        found |= mlp("MAPHead_0/MlpBlock_0", width, hidden)
    if representation:
        found |= dense("pre_logits", width, representation)
    return found | (dense("head", representation or width, classes) if classes else {})


# ---------------------------------------------------------------------------------------------------------- functions


def gelu(x):
    """`jax.nn.gelu`, which approximates unless it is told not to."""
    return x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2


def layer_norm(p, at, x):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * p[f"{at}/scale"] + p[f"{at}/bias"]


def apply_dense(p, at, x):
    return x @ p[f"{at}/kernel"] + p[f"{at}/bias"]


def apply_mlp(p, at, x):
    return apply_dense(p, f"{at}/Dense_1", gelu(apply_dense(p, f"{at}/Dense_0", x)))


def attend(p, at, queries, x):
    """`nn.MultiHeadDotProductAttention` of [B, M, D] to [B, N, D]"""
    q, k, v = (
        np.einsum("bnd,dhk->bhnk", from_, p[f"{at}/{part}/kernel"], optimize=True) + p[f"{at}/{part}/bias"][:, None]
        for part, from_ in (("query", queries), ("key", x), ("value", x))
    )
    logits = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    mixed = weights / weights.sum(-1, keepdims=True) @ v
    return np.einsum("bhnk,hkd->bnd", mixed, p[f"{at}/out/kernel"], optimize=True) + p[f"{at}/out/bias"]


def encode(p, x, numbers):
    for i in range(sum(name.endswith("LayerNorm_0/scale") and "encoderblock_" in name for name in p)):
        at = f"Transformer/encoderblock_{i}"
        y = layer_norm(p, f"{at}/LayerNorm_0", x)
        x = x + attend(p, f"{at}/MultiHeadDotProductAttention_{numbers[0]}", y, y)
        x = x + apply_mlp(p, f"{at}/MlpBlock_{numbers[2]}", layer_norm(p, f"{at}/LayerNorm_{numbers[1]}", x))
    return layer_norm(p, "Transformer/encoder_norm", x)


def windows(x, kernel, stride, value=0.0):
    """[B, H, W, C] -> [B, rows, columns, C, kernel, kernel] of SAME padding: the greater half of it behind"""
    totals = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[1:3]]
    around = [(total // 2, total - total // 2) for total in totals]
    padded = np.pad(x, [(0, 0), *around, (0, 0)], constant_values=value)
    return sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]


def std_conv(p, at, x, stride=1):
    """`StdConv`: `weight_standardize` with an eps of 1e-5 on the deviation"""
    kernel = p[f"{at}/kernel"]
    kernel = kernel - kernel.mean((0, 1, 2))
    kernel = kernel / (kernel.std((0, 1, 2)) + 1e-5)
    return np.tensordot(windows(x, len(kernel), stride), kernel.transpose(2, 0, 1, 3), 3)


def group_norm(p, at, x):
    """`nn.GroupNorm`: 32 groups of neighbouring channels, an eps of 1e-6"""
    groups = x.reshape(len(x), -1, 32, x.shape[-1] // 32)
    centred = groups - groups.mean((1, 3), keepdims=True)
    normed = centred / np.sqrt((centred**2).mean((1, 3), keepdims=True) + 1e-6)
    return normed.reshape(x.shape) * p[f"{at}/scale"].ravel() + p[f"{at}/bias"].ravel()


def relu(x):
    return np.maximum(x, 0)


def resnet(p, x):
    x = relu(group_norm(p, "gn_root", std_conv(p, "conv_root", x, 2)))
    x = windows(x, 3, 2, -np.inf).max((-1, -2))
    for unit in [name.removesuffix("/conv1/kernel") for name in p if name.endswith("/conv1/kernel")]:
        first = unit.endswith("unit1")
        stride = 2 if first and not unit.startswith("block1/") else 1
        shortcut = group_norm(p, f"{unit}/gn_proj", std_conv(p, f"{unit}/conv_proj", x, stride)) if first else x
        y = relu(group_norm(p, f"{unit}/gn1", std_conv(p, f"{unit}/conv1", x)))
        y = relu(group_norm(p, f"{unit}/gn2", std_conv(p, f"{unit}/conv2", y, stride)))
        x = relu(shortcut + group_norm(p, f"{unit}/gn3", std_conv(p, f"{unit}/conv3", y)))
    return x


def embed(p, x):
    """`nn.Conv` named "embedding", VALID, whose stride is its kernel: [B, H, W, C] -> [B, L, D]"""
    kernel = p["embedding/kernel"]
    size = len(kernel)
    cut = sliding_window_view(x, (size, size), axis=(1, 2))[:, ::size, ::size]
    tokens = np.tensordot(cut, kernel.transpose(2, 0, 1, 3), 3) + p["embedding/bias"]
    return tokens.reshape(len(x), -1, tokens.shape[-1])


def with_cls(p, x):
    return np.concatenate([np.tile(p["cls"], (len(x), 1, 1)), x], axis=1) if "cls" in p else x


def classify(p, x):
    if "pre_logits/kernel" in p:
        x = np.tanh(apply_dense(p, "pre_logits", x))
    return apply_dense(p, "head", x) if "head/kernel" in p else x


def vit_jax_says(p, images):
    """`VisionTransformer.__call__`: positions behind the cls token's concatenation"""
    x = with_cls(p, embed(p, resnet(p, images) if "conv_root/kernel" in p else images))
    x = encode(p, x + p["Transformer/posembed_input/pos_embedding"], (1, 2, 3))
    return classify(p, x[:, 0] if "cls" in p else x.mean(1))


def big_vision_says(p, images):
    """`_Model.__call__`: positions before it"""
    x = encode(p, with_cls(p, embed(p, images) + p["pos_embedding"]), (0, 1, 0))
    if "MAPHead_0/probe" in p:
        x = attend(p, "MAPHead_0/MultiHeadDotProductAttention_0", np.tile(p["MAPHead_0/probe"], (len(x), 1, 1)), x)
        x = x + apply_mlp(p, "MAPHead_0/MlpBlock_0", layer_norm(p, "MAPHead_0/LayerNorm_0", x))
        return classify(p, x[:, 0])
    return classify(p, x[:, 0] if "cls" in p else x.mean(1))
