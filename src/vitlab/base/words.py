"""Words that agree with their number, and texts that fit their place."""

import re
import reprlib
from collections.abc import Sequence
from typing import Any

_FEW = 6  # lines
_SOME = 3  # names in a sentence
# What would break a line, and the backslash itself, so that what is escaped looks like nothing else
_ESCAPES = {code: repr(chr(code))[1:-1] for code in (*range(0x20), 0x5C, 0x7F)} | {
    code: f"\\u{code:04x}" for code in (*range(0x80, 0xA0), 0x2028, 0x2029)
}
_LONG = 200  # characters of a name
_LONGEST = 80  # characters of a value
_LINE = 2000  # characters of a line of a message
KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}  # what types are called


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """'1 run', '3 runs', '2 classes'"""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def slug(name: str) -> str:
    """A name as that of a file or a folder."""
    return re.sub(r"[^A-Za-z0-9.=+-]+", "-", name).strip("-.") or "cell"


def shortened(text: str, length: int) -> str:
    """A text of at most so many characters; what is cut off shows as …"""
    return text if len(text) <= length else text[: length - 1] + "…"


def readable(name: str) -> str:
    """A file's name as one line of text that can be shown and written, another for every name.

    Bytes that are no UTF-8, line breaks, control characters and backslashes are escaped: `caf\\xe9.png`.
    """
    return name.translate(_ESCAPES).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def printable(message: str) -> str:
    """A message that may quote anything: nothing in it moves the cursor, and no line is longer than can be read."""
    escaped = (line.translate({**_ESCAPES, ord("\\"): "\\"}) for line in message.split("\n"))
    return "\n".join(shortened(line, _LINE) for line in escaped)


def some(names: Sequence[str]) -> str:
    """'a, b, c and 2 more'; of a very long name its beginning"""
    few = ", ".join(printable(shortened(name, _LONG)).replace("\n", "\\n") for name in names[:_SOME])
    return few + (f" and {len(names) - _SOME} more" if len(names) > _SOME else "")


def first_few(said: Sequence[str]) -> list[str]:
    """The first few of several things, and how many more there are."""
    more = len(said) - _FEW
    return [*said[:_FEW], *([f"and {more} more"] if more > 0 else [])]


def shown(value: Any) -> str:
    """A value in a message, which does not grow with it."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = _LONGEST
    return short.repr(value)
