"""Random numbers as a pure function of where they are used.

Nothing in vitlab's training draws from a hidden generator. Every sample of a run has a *key*, a 64-bit hash of
(seed, position in the global sample stream), and everything random about that sample is a hash of its key and a *tag*
(which crop, which layer's drop path, ...). So a resumed run needs only its step number, any split of a batch over
micro-batches or processes sees the same numbers, and so does every device.

The hash is SplitMix64's finaliser (Steele, Lea & Flood, OOPSLA 2014) on two's-complement int64, where torch wraps
around on every device.
"""

import hashlib
from functools import cache

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)


def _finalise(x: Tensor) -> Tensor:
    x = (x ^ ((x >> 30) & 0x3FFFFFFFF)) * _MIX_1  # the masks make torch's arithmetic shift a logical one
    x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * _MIX_2
    return x ^ ((x >> 31) & 0x1FFFFFFFF)


def tag(name: str) -> int:
    """A fixed 63-bit number for a name, the same in every process."""
    return _tag(name)


# torch.compile cannot trace a hash, and loses bits of a number it is handed. This is all that its decorator
# `torch.compiler.assume_constant_result` does, which imports the compiler: a second and a half for every command.
tag._dynamo_marked_constant = True  # type: ignore[attr-defined]


@cache
def _tag(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) >> 1


def sample_keys(seeds: Tensor, positions: Tensor) -> Tensor:
    """seeds [R], positions [B] in the global sample stream -> keys [R, B], int64."""
    return _finalise(_finalise(seeds * _GOLDEN)[:, None] + positions[None, :] * _GOLDEN)


def subkeys(keys: Tensor, name: str) -> Tensor:
    """Fresh keys of the same shape, for the use called `name`."""
    return _finalise(keys + tag(name))


def bits(keys: Tensor, name: str, count: int) -> Tensor:
    """keys [...] -> hashes [..., count], int64: `count` independent numbers for every key."""
    counters = torch.arange(1, count + 1, device=keys.device) * _GOLDEN
    return _finalise(subkeys(keys, name)[..., None] + counters)


def uniform(keys: Tensor, name: str, count: int) -> Tensor:
    """keys [...] -> [..., count], float32, uniform on [0, 1)."""
    return ((bits(keys, name, count) >> 40) & 0xFFFFFF).to(torch.float32) * 2.0**-24


def chances(keys: Tensor, name: str, count: int) -> Tensor:
    """keys [...] -> [..., count], int16, uniform on all its values: a mask of many needs no more bits than that.

    Four come from each hash, which is what such a mask costs.
    """
    hashes = bits(keys, name, -(-count // 4))
    quarters = [(hashes >> shift).to(torch.int16) for shift in (0, 16, 32, 48)]  # a view as int16 is not stacked by
    return torch.stack(quarters, dim=-1).flatten(-2)[..., :count]  # every torch's vmap


def host_seed(*parts: int | str) -> int:
    """A 63-bit seed for a generator on the host, from numbers and names (initial weights, splits)."""
    return tag("\x1f".join(map(str, parts)))
