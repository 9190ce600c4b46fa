"""Words that agree with their number, and texts that fit their place."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """'1 run', '3 runs', '2 classes'"""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shortened(text: str, length: int) -> str:
    """A text of at most so many characters; what is cut off shows as …"""
    return text if len(text) <= length else text[: length - 1] + "…"


def readable(name: str) -> str:
    """A file's name as text that can be shown and written: bytes that are no UTF-8 are escaped, `caf\\xe9.png`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
