"""What names a spec: twelve hexadecimal digits, of all that it says but where something lies."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from vitlab.base.differences import without
from vitlab.base.spec import WHEREABOUTS, Spec, from_dict, to_dict


def spec_id(spec: Spec) -> str:
    """Twelve hexadecimal digits, a hash of the resolved spec: equal specs, equal ids."""
    return id_of(identity(from_dict(type(spec), to_dict(spec))))  # a ratio of 4, built in Python, is 4.0 as elsewhere


def id_of(values: Mapping[str, Any]) -> str:
    """The id of a spec, of which these plain values are all but its whereabouts."""
    return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=6).hexdigest()


def whereabouts_of(value: Any, path: str = "") -> Iterator[str]:
    """The dotted paths of the settings of a spec that say where something lies."""
    for field in dataclasses.fields(value) if isinstance(value, Spec) else ():
        inside = f"{path}{field.name}"
        if field.metadata.get(WHEREABOUTS):
            yield inside
        else:
            yield from whereabouts_of(getattr(value, field.name), f"{inside}.")
    for index, item in enumerate(value if isinstance(value, tuple | list) else ()):
        yield from whereabouts_of(item, f"{path}{index}.")


def identity(spec: Spec) -> dict[str, Any]:
    """A spec as plain JSON values, without whereabouts: what its id is made of."""
    return without(to_dict(spec), whereabouts_of(spec))
