"""Devices: which there are, what one is called, how to wait for it, and how exactly it can add up."""

from collections.abc import Callable
from typing import Any

import torch

from vitlab.base.errors import UserError
from vitlab.base.options import check_device


def pick_device(asked: str | None) -> torch.device:
    """The device asked for, or the best at hand. Raises UserError if it is not there."""
    if asked is None:
        asked = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    check_device(asked)
    try:
        torch.zeros(1, device=asked)
    except (RuntimeError, AssertionError):
        raise UserError(f"--device {asked}: not available here; cpu always is") from None
    return torch.device(asked)


def accelerator(device: str) -> dict[str, Any] | None:
    """What a record says of a GPU: its name, memory and CUDA version; None for a CPU."""
    if not device.startswith("cuda"):
        return None
    properties = torch.cuda.get_device_properties(device)
    return {"name": properties.name, "memory_bytes": properties.total_memory, "cuda": torch.version.cuda}


def exact_dtype(device: torch.device) -> torch.dtype:
    """What sums over many samples are taken in: double precision, which Apple's GPUs do not have."""
    return torch.float32 if device.type == "mps" else torch.float64


def waiting_for(device: torch.device | str) -> Callable[[], None]:
    """A call that waits until the device has done all that it was given; a CPU always has."""
    kind = torch.device(device).type
    if kind == "cuda":
        return lambda: torch.cuda.synchronize(device)
    return torch.mps.synchronize if kind == "mps" else lambda: None
