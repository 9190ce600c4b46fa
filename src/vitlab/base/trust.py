"""Which code of somebody's own may run.

Records, checkpoints and files of settings are data, but they may name a module, and to import a module is to run it.
So a module is imported if its name was typed in this command or program as what this setting is to be, if the user
allowed all code (`--trust`, `vitlab.trusting()`), or if its files are the same as when that was so: their hash is kept,
in the user's own folder and in the environment of the processes that this one starts. Anything else is refused, and not
imported. `--data digits` trusts no attention that a file calls `digits`.

What a trusted module imports in turn is not looked at: to trust a file is to trust what it does.
"""

import dataclasses
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any

from vitlab.base import kept
from vitlab.base.errors import DataError, Untrusted
from vitlab.base.files import open_file, read_json, write_json

_ENVIRONMENT = "VITLAB_TRUSTED"  # hashes, for processes that have no folder to read them from
_PLACES = ("path", "repo", "config", "revision", "checksum")  # settings
_typed: set[tuple[str, str]] = set()  # settings, and the texts that were typed for them
_all_allowed = False


def folder() -> Path:
    """`$VITLAB_STATE`, else `$XDG_STATE_HOME/vitlab`, else `~/.local/state/vitlab`: kept, though caches are not."""
    return kept.folder_of_user("VITLAB_STATE", "XDG_STATE_HOME", ".local/state")


def typed(*values: Any, setting: str = "") -> None:
    """Trust the modules that these name, settings or specs: somebody wrote them in this command or program.

    `setting` is what a text alone was typed for; a name is trusted there and nowhere else. A text that says where
    something lies names none, though a module may be called like it.
    """
    for value in values:
        if isinstance(value, str):
            _typed.update(((setting, value), (setting, PurePath(value).as_posix())))  # a path is known by the latter
        elif isinstance(value, Mapping):
            for key, inside in value.items():
                if not _says_where(str(key), inside):
                    typed(inside, setting=setting if key == "name" else setting_of(str(key)))
        elif isinstance(value, list | tuple):
            typed(*value, setting=setting)
        elif dataclasses.is_dataclass(value):  # a component's name is its module's
            typed(getattr(value, "name", None), setting=setting)
            typed({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})


def setting_of(path: str) -> str:
    """The setting that a dotted path ends in, whichever entry of a list it is: `augment.0` is `augment`."""
    return next((part for part in reversed(path.split(".")) if not part.isdecimal()), "")


def _says_where(setting: str, value: Any) -> bool:
    """Whether a setting's text is a place: of data, of weights, or on the hub."""
    if not isinstance(value, str):
        return False
    return setting.rpartition(".")[2] in _PLACES or (setting == "data" and ("/" in value or Path(value).exists()))


def is_allowed(name: str, setting: str) -> bool:
    """Whether this very name was typed for the setting, or all code is allowed."""
    return (setting, name) in _typed or _all_allowed


@contextmanager
def trusting() -> Iterator[None]:
    """While the block runs, allow all code that files name."""
    global _all_allowed
    before, _all_allowed = _all_allowed, True
    try:
        yield
    finally:
        _all_allowed = before


def trust_all() -> None:
    """From now on allow all code that files name: `--trust`."""
    global _all_allowed
    _all_allowed = True


def check(name: str, files: Sequence[Path], called: str, setting: str) -> None:
    """Raise Untrusted if the module `name`, which is made of these files, may not be imported; remember it if it may.

    `setting` is what names it, `called` what a message calls it. A module without files (of Python itself, or none)
    runs nothing of anybody's.
    """
    if not files:
        return
    places = [str(file.resolve()) for file in files]
    digest = _digest(files)
    if is_allowed(name, setting):
        _remember(digest, places)
    elif not _is_known(digest):
        why = "has changed since it was trusted" if _was_known(places) else "is not known to be yours"
        allow = "allow it with --trust (in Python: with vitlab.trusting())"
        raise Untrusted(f"{called} is code, {places[-1]}, which {why}; look at it, and {allow}")


@contextmanager
def own_bytecode(files: Sequence[Path]) -> Iterator[None]:
    """While the block imports these files, use no compiled ones that lie beside them: they need not say the same.

    What Python compiles meanwhile is kept in the cache folder, for these contents alone.
    """
    before, sys.pycache_prefix = sys.pycache_prefix, str(kept.folder().absolute() / "bytecode" / _digest(files))
    try:
        yield
    finally:
        sys.pycache_prefix = before


def _digest(files: Sequence[Path]) -> str:
    """A hash of the files' contents."""
    whole = hashlib.blake2b(digest_size=16)
    for file in files:
        with open_file(file) as content:
            whole.update(hashlib.file_digest(content, "blake2b").digest())
    return whole.hexdigest()


def _remember(digest: str, places: Sequence[str]) -> None:
    known = os.environ.get(_ENVIRONMENT, "").split(",")
    if digest not in known:
        os.environ[_ENVIRONMENT] = ",".join(filter(None, (*known, digest)))
    with suppress(OSError):  # what cannot be kept is asked for again
        if not _record(digest).exists():
            write_json(_record(digest), {"files": list(places)})


def _is_known(digest: str) -> bool:
    return digest in os.environ.get(_ENVIRONMENT, "").split(",") or _record(digest).is_file()


def _was_known(places: Sequence[str]) -> bool:
    """Whether other contents of the same files were trusted."""
    for record in _record("").parent.glob("*.json"):
        with suppress(DataError, OSError):
            if not set(places).isdisjoint(read_json(record).get("files", ())):
                return True
    return False


def _record(digest: str) -> Path:
    return folder() / "trusted" / f"{digest}.json"
