"""Answers that are kept in the cache folder, because it takes time to find them out again.

An answer is named by a hash of all that its question says, and is never authoritative: one that is absent or damaged is
found out again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from vitlab.base.errors import DataError
from vitlab.base.files import read_json, write_json


def folder() -> Path:
    """`$VITLAB_CACHE`, else `$XDG_CACHE_HOME/vitlab`, else `~/.cache/vitlab`."""
    return folder_of_user("VITLAB_CACHE", "XDG_CACHE_HOME", ".cache")


def folder_of_user(ours: str, everybodys: str, at_home: str) -> Path:
    """The folder that a variable of ours names, else vitlab's in the one that a usual variable names, else at home."""
    if chosen := os.environ.get(ours):
        return Path(chosen)
    try:
        return Path(os.environ.get(everybodys) or Path.home() / at_home) / "vitlab"
    except RuntimeError:  # whoever runs this has no home
        return Path(os.devnull) / "vitlab"  # in which nothing can be written, so nothing is kept


def why_nothing() -> str | None:
    """Why nothing can be kept, if that is so."""
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return None
    except OSError as error:
        remedy = "set VITLAB_CACHE to a folder that can be written"
        why = "there is no home" if place.parent == Path(os.devnull) else str(error)
        return f"no cache, so data are prepared anew by every run ({why}); {remedy}"


def read_facts(path: Path) -> Mapping[str, Any]:
    """What was remembered at `path`; nothing if that cannot be read."""
    try:
        return read_json(path)
    except (DataError, OSError):
        return {}


def keep_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Keep a few facts, as JSON. Where that cannot be done they are found out again."""
    with suppress(OSError):
        write_json(path, facts)


def read_answer(kind: str, question: Any) -> dict[str, Any] | None:
    """What was answered to a question, which is plain JSON; None if it never was, or cannot be read."""
    answer = read_facts(_file(kind, question)).get("answer")
    return answer if isinstance(answer, dict) else None


def keep_answer(
    kind: str, question: Any, answer: Mapping[str, Any], known: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Keep an answer in place of the one that was `known`; the one that holds, which is another process's if that has
    found one meanwhile: all who ask at the same time shall go by the same. A folder that cannot be written forgets.
    """
    file = _file(kind, question)
    with suppress(OSError):
        if file.exists() and read_answer(kind, question) in (None, known):  # in this order: it may come meanwhile
            file.unlink()
        write_json(file, {"answer": dict(answer)}, unless_there=True)
    return read_answer(kind, question) or answer


def _file(kind: str, question: Any) -> Path:
    asked = json.dumps(question, sort_keys=True).encode()
    return folder() / kind / f"{hashlib.blake2b(asked, digest_size=8).hexdigest()}.json"
