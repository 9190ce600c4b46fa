"""The roles of splits: which of a set's splits is trained on, which is for validation, and which is the test.

A split is known by the names that the field has for it. A set with a single held-out split, whatever it is called, is
tested on it, as on ImageNet's `val`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from vitlab.base.errors import DataError
from vitlab.base.words import some

NAMES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
ROLES = tuple(NAMES)


def role_of(name: str) -> str | None:
    """The role that a split of this name has by convention, if any."""
    return next((role for role, names in NAMES.items() if name.lower() in names), None)


def role_in(name: str) -> str | None:
    """The role whose word is a part of a name, if just one's is: `seg_train`, `X_train`, `TestData`, `val2017`."""
    words = re.findall(r"[A-Z]*[^\W\d_A-Z]+|[A-Z]+", name)
    roles = {role for word in words if (role := role_of(word) or role_of(word.lower().removesuffix("set")))}
    return roles.pop() if len(roles) == 1 else None


def assigned(
    names: Iterable[str], place: str, chosen: Mapping[str, str] | None = None, held_out: str | None = None
) -> dict[str, str]:
    """{role: name} of the splits that are used, of those called `names` in `place`.

    `chosen` says it all; `held_out` names the test alone; the rest is by convention. Raises DataError for a split that
    is not there, or if two could have one role.
    """
    if chosen is not None:
        return {role: _there(name, names, place) for role, name in chosen.items()}
    roles: dict[str, str] = {}
    for name in names:
        role = role_of(name)
        if role in roles and name != held_out != roles[role]:
            raise DataError(
                f"{place} has {roles[role]} and {name}, and either can be the {role} split; "
                f'name it: data.splits={{"{role}": "{name}", …}}'
            )
        if role is not None:
            roles[role] = name
    if held_out is not None:
        test = _there(held_out, names, place)
        roles = {role: name for role, name in roles.items() if role != "test" and name != test} | {"test": test}
    elif "test" not in roles and "val" in roles:
        roles["test"] = roles.pop("val")
    return {role: roles[role] for role in ROLES if role in roles}


class Tables(NamedTuple):
    """The names of the tables that are used, by role; how they are read, and what else is to be said of them."""

    names: dict[str, list[str]]
    layout: str
    notes: tuple[str, ...] = ()


def assigned_tables(
    names: Sequence[str], place: str, chosen: Mapping[str, str] | None = None, held_out: str | None = None
) -> Tables:
    """The same of tables, which are a set without splits if `chosen` names none, or none is called after a split.

    Raises DataError, too, for several of which some could be splits.
    """
    roles = {} if chosen == {} else assigned(names, place, chosen, held_out)
    if not roles:
        _check_no_splits(names, place, chosen)
        return Tables({"train": list(names)}, f"no splits, all of {some(names)}")
    notes = [f"{name} is the {role} split" for role, name in roles.items() if role_of(name) != role]
    unused = [name for name in names if name not in roles.values()]
    if unused:
        notes.append(f"not read: {some(unused)}, in no split (data.splits chooses)")
    return Tables({role: [name] for role, name in roles.items()}, ", ".join(roles.values()), tuple(notes))


def _check_no_splits(names: Sequence[str], place: str, chosen: Mapping[str, str] | None) -> None:
    perhaps = {role: name for name in names if (role := role_in(name))}
    if perhaps and len(names) > 1 and chosen is None:
        raise DataError(
            f"{place} has {some(names)}, none of which is called as a split is. If they are splits: "
            f"data.splits={json.dumps(perhaps)}; if all are one set without splits: data.splits={{}}"
        )


def check_roles(chosen: Mapping[str, str] | None) -> str | None:
    """What is wrong with a choice of splits, if anything."""
    odd = [role for role in chosen or {} if role not in ROLES]
    if odd:
        return f"splits: {odd[0]} is no split; legal: {', '.join(ROLES)}"
    if chosen and len(set(chosen.values())) < len(chosen):
        return "splits: the same one twice"
    return None


def _there(name: str, names: Iterable[str], place: str) -> str:
    exact = [there for there in names if there == name] or [there for there in names if there.lower() == name.lower()]
    if not exact:
        raise DataError(f"{place} has no {name}/; it has {some(list(names)) or 'nothing that can be a split'}")
    return exact[0]
