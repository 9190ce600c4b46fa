"""The cache of what trials have shown, by the kind of host on which they ran.

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


def read_answer(question: Any, where: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What a trial answered on a kind of host, by default this one, or None; `question` is plain JSON."""
    try:
        return read_json(_file(question, where))["answer"]
    except (UserError, KeyError, OSError):  # never tried, or a record that cannot be used, or read
        return None


def keep_answer(question: Any, answer: Mapping[str, Any], where: Mapping[str, Any] | None = None) -> None:
    """Keep an answer; a cache that cannot be written forgets."""
    with suppress(OSError):
        write_json(_file(question, where), {"answer": dict(answer)})


def _file(question: Any, where: Mapping[str, Any] | None) -> Path:
    asked = json.dumps([*(host() if where is None else where).values(), question], sort_keys=True)
    return cache.folder() / "choices" / f"{tag(asked):016x}.json"
