"""The cache of what trials on this machine have shown.

A choice that noise could turn another way tomorrow would make the same command give other bits.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from vitlab.base.env import hardware
from vitlab.base.errors import UserError
from vitlab.base.files import read_json, write_json
from vitlab.data import cache
from vitlab.rng import tag


def host() -> dict[str, Any]:
    """The kind of host that this is: what decides how fast things are on it."""
    return {"hardware": hardware(), "torch": torch.__version__}


def recall(question: Any) -> dict[str, Any] | None:
    """What a trial answered on this machine with this torch, or None; `question` is plain JSON."""
    try:
        return read_json(_file(question))["answer"]
    except (UserError, KeyError):  # never tried, or a record that cannot be used
        return None


def remember(question: Any, answer: Mapping[str, Any]) -> None:
    """Keep an answer; a cache that cannot be written forgets."""
    with suppress(OSError):
        write_json(_file(question), {"answer": dict(answer)})


def _file(question: Any) -> Path:
    asked = json.dumps([*host().values(), question], sort_keys=True)
    return cache.folder() / "choices" / f"{tag(asked):016x}.json"
