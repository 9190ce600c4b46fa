"""Words that agree with their number, and texts that fit their place."""


def counted(number: int, noun: str) -> str:
    """'1 run', '3 runs'"""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shortened(text: str, length: int) -> str:
    """A text of at most so many characters; what is cut off shows as …"""
    return text if len(text) <= length else text[: length - 1] + "…"
