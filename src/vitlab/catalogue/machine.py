"""This machine: what it has, what vitlab would choose on it, and where data are."""

from typing import Any

import torch

from vitlab.base.env import environment, process_cores
from vitlab.base.errors import DataError
from vitlab.data.paths import local_folder
from vitlab.devices import pick_device
from vitlab.train.machine.choices import has_fast_bf16


def machine() -> dict[str, Any]:
    """Its facts, as JSON values."""
    return {**environment(), "torch": _torch_facts(), "data": _data_facts()}


def _torch_facts() -> dict[str, Any]:
    device = pick_device(None)
    return {
        "device": str(device),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "threads": process_cores(),
        "bf16": device.type == "cuda" or has_fast_bf16(),
        "attention kernel": "explicit" if device.type == "cpu" else "fused",
    }


def _data_facts() -> dict[str, Any]:
    facts = {"digits": "bundled with scikit-learn"}
    for name in ("cifar10", "cifar100"):
        try:
            facts[name] = str(local_folder(name) or "not here; the hub's copy is fetched when it is asked for")
        except DataError as error:
            facts[name] = str(error)
    return facts
