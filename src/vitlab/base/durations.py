"""Durations as people say them: exactly where they were measured, roughly where they are expected."""


def duration(seconds: float) -> str:
    """3725 -> '1 h 02 min'; 75 -> '1 min 15 s'; 7.31 -> '7.3 s'"""
    if seconds < 59.95:  # more would be written as 60.0 s
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def roughly(seconds: float) -> str:
    """A time that is not known well: 40 s, 12 min, 3 h 20 min, 50 h, 12 days, 4,700 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes / 60
    if hours < 24:
        return f"{minutes // 60} h {minutes % 60} min"
    if hours < 72:
        return f"{hours:.0f} h"
    return f"{float(f'{hours / 24:.2g}'):,.0f} days"
