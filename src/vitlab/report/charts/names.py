"""Names in a column beside a frame, each joined to the height that it belongs to: none covers another."""

from collections.abc import Sequence
from itertools import pairwise

import altair as alt

from vitlab.report.charts.drawing import data_of
from vitlab.report.charts.theme import COLOURS, SMALL

LETTER = 0.56 * SMALL  # pixels, on average
_LEADER = 12  # pixels, from the frame to the names
_LINE = 13  # pixels, of text


def names_beside(names: Sequence[tuple[str, float, str]], height: int, room: int = 0) -> tuple[alt.LayerChart, int]:
    """Names with their heights in pixels from the top of a frame and their colours -> the column, and its width.
    `room`: pixels that the names take at least.
    """
    width = max(room, round(LETTER * max((len(name) for name, _, _ in names), default=0))) + _LEADER
    places = apart([at for _, at, _ in names], _LINE, height)
    data = data_of(
        [
            {"name": name, "from": at, "to": place, "begin": 0, "end": _LEADER - 2, "text": _LEADER}
            for (name, at, _), place in zip(names, places, strict=True)
        ]
    )
    colours = [COLOURS.get(colour, colour) for _, _, colour in names]
    colour = alt.Color("name:N", legend=None, scale=alt.Scale(domain=[name for name, _, _ in names], range=colours))
    across = {"axis": None, "scale": alt.Scale(domain=[0, width], nice=False)}
    down = {"axis": None, "scale": alt.Scale(domain=[0, height], nice=False, reverse=True)}
    every = alt.Chart(data)
    leaders = every.mark_rule(strokeWidth=0.8, opacity=0.7, aria=False).encode(
        x=alt.X("begin:Q", **across), x2="end:Q", y=alt.Y("from:Q", **down), y2="to:Q", color=colour
    )
    texts = every.mark_text(align="left", fontSize=SMALL).encode(
        x=alt.X("text:Q", **across), y=alt.Y("to:Q", **down), text="name:N", description="name:N", color=colour
    )
    return alt.layer(leaders, texts).properties(width=width, height=height), width


def beside(frame: alt.LayerChart, column: alt.LayerChart) -> alt.HConcatChart:
    """A frame and the names that belong to it."""
    return alt.hconcat(frame, column, spacing=3).resolve_scale(color="independent")


def apart(wanted: Sequence[float], gap: float, height: float) -> list[float]:
    """Places at least `gap` from each other, close to the wanted ones, within 0 and `height` if there is room."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [wanted[index] for index in order]
    for _ in range(200):
        for i, j in pairwise(range(len(places))):
            if (lacking := gap - (places[j] - places[i])) > 0:
                places[i], places[j] = places[i] - lacking / 2, places[j] + lacking / 2
    if places:
        beyond = max(0.0, places[-1] - height)
        places = [max(place - beyond, index * gap) for index, place in enumerate(places)]
    return [place for _, place in sorted(zip(order, places, strict=True))]
