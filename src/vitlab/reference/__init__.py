"""The systems of the five reference studies: what each is here, and what was published of it. No torch.

One file a study. `vitlab list systems` shows them, and docs/reproductions.md is what it prints with --markdown.
"""

from vitlab.reference import r0, r1, r2, r3, r4
from vitlab.reference.system import System

STUDIES = {"R0": r0, "R1": r1, "R2": r2, "R3": r3, "R4": r4}


def systems() -> tuple[System, ...]:
    """Every row of every study's tables, in their order."""
    return tuple(system for study in STUDIES.values() for system in study.SYSTEMS)
