"""Words for the shell's completion. Nothing heavy is imported: a person waits for them at every press of a key."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitlab.catalogue.families import Row


_BREAKS = re.compile("[=:]")  # where bash breaks words, and we do not


def asked_by_bash() -> bool:
    """Whether this process is to complete a line of bash."""
    return os.environ.get("_VITLAB_COMPLETE") == "complete_bash"


def complete_for_bash(run: Callable[[], object]) -> None:
    """Let `run` complete words that bash has broken at = and :, and print of each what bash is to put behind these."""
    words = os.environ["COMP_WORDS"].split("\n")[: int(os.environ["COMP_CWORD"]) + 1]
    whole = rejoined(words)
    os.environ |= {"COMP_WORDS": "\n".join(whole), "COMP_CWORD": str(len(whole) - 1)}
    known = len(whole[-1]) - len(_BREAKS.split(whole[-1])[-1])
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            run()
    finally:
        for line in printed.getvalue().splitlines():
            print(line[known:])


def rejoined(words: Sequence[str]) -> list[str]:
    """--set model.attention = li as --set model.attention=li"""
    whole: list[str] = []
    for place, word in enumerate(words):
        goes_on = place > 0 and (_BREAKS.fullmatch(word) or _BREAKS.fullmatch(words[place - 1]))
        if goes_on:
            whole[-1] += word
        else:
            whole.append(word)
    return whole


def recipes(incomplete: str) -> list[str]:
    """Recipes, and their variants once a recipe is written."""
    from vitlab.catalogue.families import LISTS

    return _with_more(LISTS["recipes"](), incomplete)


def studies(incomplete: str) -> list[str]:
    """Studies, and the functions of one that is written."""
    from vitlab.catalogue.families import LISTS

    return _with_more(LISTS["studies"](), incomplete)


def models(incomplete: str) -> list[str]:
    """Models."""
    from vitlab.catalogue.families import LISTS

    return _those((row.name for row in LISTS["models"]()), incomplete)


def data(incomplete: str) -> list[str]:
    """Data sets; what follows the colon of some is a place."""
    from vitlab.base.spec import component_names
    from vitlab.catalogue.families import FAMILIES
    from vitlab.catalogue.settings import DATA, lacking

    names, unplaced = component_names(FAMILIES["data"]), lacking(DATA)
    return _those((f"{name}:" if name in unplaced else name for name in names), incomplete)


def shown(incomplete: str) -> list[str]:
    """What `vitlab show` takes, but for runs, which are paths."""
    return models(incomplete) + recipes(incomplete)


def listed(incomplete: str) -> list[str]:
    """Families, and the components of one that is written."""
    from vitlab.base.spec import component_names
    from vitlab.catalogue.families import FAMILIES, LISTS

    family, dot, _ = incomplete.partition(".")
    if dot and family in FAMILIES:
        return _those((f"{family}.{name}" for name in component_names(FAMILIES[family])), incomplete)
    return _those([*LISTS, "systems", "compatibility"], incomplete)


def settings(incomplete: str) -> list[str]:
    """Settings by their paths, part by part, and the names that may stand after an equals sign."""
    from vitlab.catalogue.settings import RUN, legal_names
    from vitlab.catalogue.settings import settings as known

    path, equals, _ = incomplete.partition("=")
    if equals:
        return _those((f"{path}={name}" for name in legal_names(RUN, path)), incomplete)
    depth = incomplete.count(".") + 1
    return _those(dict.fromkeys(_first_parts(setting.path, depth) for setting in known(RUN)), incomplete)


def _first_parts(path: str, count: int) -> str:
    """So many parts of a setting's path, and what may follow them: more parts, or a value."""
    parts = path.split(".")
    return ".".join(parts[:count]) + ("." if len(parts) > count else "=")


def _with_more(rows: "Iterable[Row]", incomplete: str) -> list[str]:
    """The rows' names; of one that is written, with a colon, what may follow it."""
    name, colon, _ = incomplete.partition(":")
    more = [f"{row.name}:{variant}" for row in rows if colon and row.name == name for variant in row.more]
    return _those(more or [row.name for row in rows], incomplete)


def _those(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
