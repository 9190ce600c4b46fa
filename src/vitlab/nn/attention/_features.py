"""Attention by feature maps: weights φ(q) φ(k)ᵀ / row sums, for every mechanism whose φ is not negative.

O(N): φ(k)ᵀ v, one matrix a head, is formed first, and the N × N weights never are.
"""

from torch import Tensor


def feature_attention(q: Tensor, k: Tensor, v: Tensor, guard: float = 0.0) -> Tensor:
    """features [B, H, N, F] of q and of k, v [B, H, N, K] -> [B, H, N, K]; `guard` is added to the row sums."""
    mass = q @ k.sum(dim=-2, keepdim=True).transpose(-2, -1)  # [B, H, N, 1]
    return q @ (k.transpose(-2, -1) @ v) / (mass + guard)


def feature_weights(q: Tensor, k: Tensor, guard: float = 0.0) -> Tensor:
    """features [B, H, N, F] of q and of k -> [B, H, N, N]"""
    similarity = q @ k.transpose(-2, -1)
    return similarity / (similarity.sum(-1, keepdim=True) + guard)
