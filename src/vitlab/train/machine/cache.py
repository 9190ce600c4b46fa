"""The cache of what trials have shown, by the kind of host on which they ran.

A choice that noise could turn another way tomorrow would make the same command give other bits.
"""

from collections.abc import Mapping
from typing import Any

import torch

from vitlab.base import kept
from vitlab.base.env import hardware


def host() -> dict[str, Any]:
    """The kind of host that this is: what decides how fast things are on it."""
    return {"hardware": hardware(), "torch": torch.__version__}


def read_answer(question: Any, where: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What a trial answered on a kind of host, by default this one, or None; `question` is plain JSON."""
    return kept.read_answer("choices", _asked(question, where))


def keep_answer(
    question: Any,
    answer: Mapping[str, Any],
    where: Mapping[str, Any] | None = None,
    known: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """Keep an answer in place of the one that was `known`; the one that holds, of several who have tried at the same
    time the first one's.
    """
    return kept.keep_answer("choices", _asked(question, where), answer, known)


def _asked(question: Any, where: Mapping[str, Any] | None) -> list[Any]:
    return [*(host() if where is None else where).values(), question]
