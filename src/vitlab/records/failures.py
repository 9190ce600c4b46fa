"""A study's failed.json: runs that could not even begin, or whose process died, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from vitlab.records._base import Record


@dataclass(frozen=True)
class Failures(Record):
    """Reasons by the run's name within the study: these runs have no result of their own."""

    file: ClassVar[str] = "failed.json"
    remedy: ClassVar[str] = "remove it, and these runs are tried again"

    runs: Mapping[str, str] = field(default_factory=dict)
