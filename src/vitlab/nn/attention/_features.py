"""Attention by feature maps: weights φ(q) φ(k)ᵀ / row sums, for every mechanism whose φ is not negative.

O(N): φ(k)ᵀ v, one matrix a head, is formed first, and the N × N weights never are. Features and their sums are in
single precision at least: a half loses small features beside large ones, and a row's sum with them.
"""

import torch
from torch import Tensor


def exactly(*tensors: Tensor) -> list[Tensor]:
    """The tensors in single precision at least."""
    return [tensor.to(torch.promote_types(tensor.dtype, torch.float32)) for tensor in tensors]


def feature_attention(q: Tensor, k: Tensor, v: Tensor, guard: float = 0.0) -> Tensor:
    """features [B, H, N, F] of q and of k, v [B, H, N, K] -> [B, H, N, K]; `guard` is added to the row sums."""
    exact_q, exact_k, exact_v = exactly(q, k, v)
    mass = exact_q @ exact_k.sum(dim=-2, keepdim=True).transpose(-2, -1)  # [B, H, N, 1]
    return (exact_q @ (exact_k.transpose(-2, -1) @ exact_v) / (mass + guard)).to(v.dtype)


def feature_weights(q: Tensor, k: Tensor, guard: float = 0.0) -> Tensor:
    """features [B, H, N, F] of q and of k -> [B, H, N, N]"""
    similarity = q @ k.transpose(-2, -1)
    return similarity / (similarity.sum(-1, keepdim=True) + guard)
