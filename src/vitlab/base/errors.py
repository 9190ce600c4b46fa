"""Errors: above all the one that means "the person who typed this can mend it".

The command line turns it into exit code 2 and its message, never a traceback; everything else is a bug.
"""

import difflib
import signal
from collections.abc import Iterable

from vitlab.base.words import shown


class UserError(ValueError):
    """A mistake in what was asked for. The message names the setting, its value and what is allowed."""


class SpecError(UserError):
    """A spec that cannot be: an unknown key, a wrong type, parts that do not fit together."""


class UnknownSetting(SpecError):
    """A setting that there is not, at `path`, where `legal` could stand."""

    def __init__(self, message: str, path: str = "", legal: Iterable[str] = ()):
        super().__init__(message)
        self.path, self.legal = path, tuple(legal)


class NoModule(SpecError):
    """A module of somebody's own that a setting names and that cannot be had."""


class MissingModule(NoModule):
    """It is not where it was."""


class Untrusted(NoModule):
    """It would run code that nobody has allowed."""


class DataError(UserError):
    """Data that is absent, unreadable or inconsistent; the message says which file and what to do."""


class OtherVersion(DataError):
    """A record of a vitlab that is newer or older than this one can read."""


class CheckpointError(UserError):
    """A checkpoint that is damaged, or of another model; the message says what can be used instead."""


class Interrupted(Exception):
    """The work was asked to stop and has saved what it had; `code` is the process's exit code: 130, 143 or 129."""

    def __init__(self, signum: int):
        self.code = 128 + signum
        super().__init__(f"stopped by {signal.Signals(signum).name}")


_SHOWN = 16  # names in a message; `vitlab list` has the rest


def unknown(kind: str, name: str, legal: Iterable[str]) -> str:
    """The message for an unknown name: what it was, the nearest legal names, or all of them if none is near."""
    legal = sorted(legal)
    near = difflib.get_close_matches(name, legal, n=3, cutoff=0.6)
    names = ", ".join(legal[:_SHOWN]) + (f", … ({len(legal)} in all)" if len(legal) > _SHOWN else "")
    hint = f"did you mean {' or '.join(near)}?" if near else f"legal: {names or 'none'}"
    return f"unknown {kind} {shown(name)}; {hint}"


def unknown_setting(path: str, legal: Iterable[str], everywhere: Iterable[str] = ()) -> UnknownSetting:
    """The refusal of a setting: `legal` could stand there, `everywhere` are all paths of the spec.

    What has the same name at another place is meant before what has a similar one: `lr` is `optim.lr`.
    """
    legal = tuple(legal)
    last = path.rpartition(".")[2]
    elsewhere = [other for other in everywhere if other != path and other.rpartition(".")[2] == last]
    said = f"unknown setting {shown(path)}; did you mean {' or '.join(elsewhere)}?"
    return UnknownSetting(said if elsewhere else unknown("setting", path, legal), path, legal)
