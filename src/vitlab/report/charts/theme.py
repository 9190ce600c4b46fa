"""What all charts share: colours, letters, axes.

A chart uses the named colours below and nothing else. In the files they are these; in a page each becomes the CSS
variable of its name, so one drawing serves light and dark.
"""

from typing import Any

COLOURS = {
    "ink": "#1c1f24",
    "muted": "#5c636d",
    "rule": "#dcdfe4",
    "accent": "#1f5fbf",
    "second": "#b4530a",
    "third": "#6b3fa0",
    "paper": "#ffffff",
}
# All of these are as wide as each other, so that what is measured here holds on the reader's machine
TYPEFACE = "Arial, Helvetica, 'Liberation Sans', sans-serif"
SMALL, NORMAL = 11, 13  # pixels, of letters

CONFIG: dict[str, Any] = {
    "background": None,
    "font": TYPEFACE,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "gridColor": COLOURS["rule"],
        "labelColor": COLOURS["muted"],
        "labelFlush": False,
        "labelFontSize": SMALL,
        "labelLimit": 0,  # a name is never cut by the drawing; who draws it shortens it
        "labelPadding": 6,
        "ticks": False,
        "titleColor": COLOURS["muted"],
        "titleFontSize": SMALL,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "header": {"labelColor": COLOURS["ink"], "labelFontSize": SMALL, "title": None},
    "legend": {
        "labelColor": COLOURS["muted"],
        "labelFontSize": SMALL,
        "labelLimit": 0,
        "orient": "bottom",
        "symbolOpacity": 1,
        "symbolSize": 60,
        "symbolStrokeWidth": 2,
        "title": None,
    },
    "text": {"color": COLOURS["ink"], "fontSize": NORMAL},
    "title": {"anchor": "start", "color": COLOURS["ink"], "fontSize": NORMAL, "fontWeight": "normal"},
}
