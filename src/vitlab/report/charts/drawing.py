"""From a chart to what a page has of it: SVG with the page's colours, beside it the files for a paper.

The drawings stand finished in the page, which needs no script to show them. What a mark says when it is pointed at is
its `description`, which screen readers read as well (`marks.js`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import altair
import vl_convert
from markupsafe import Markup, escape

from vitlab.report.beside import Beside
from vitlab.report.charts.theme import COLOURS, CONFIG

WIDE, TALL = 960, 350  # pixels that there are for a chart: on a desk, on a telephone
CARD = 300  # of one of three abreast, or alone on a telephone
_PIXELS = 2.0  # of a PNG file, for each of the page
_CLIP = re.compile(r'(<clipPath id="|clip-path="url\(#)([\w-]+)')
_COLOUR = re.compile(r'(fill|stroke)="(#[0-9a-f]{6})"')
_PLACES = re.compile(r' (?:transform|d|x2?|y2?)="[^"]*"')
_LONG = re.compile(r"(\.\d\d)\d+")
_CALLED = {code: name for name, code in COLOURS.items()}
Chart: TypeAlias = altair.LayerChart | altair.HConcatChart | altair.VConcatChart | altair.FacetChart


def data_of(rows: Iterable[Mapping[str, Any]]) -> altair.Data:
    """Rows for a chart. As a tuple, which Altair does not copy at every step as it does a list."""
    return altair.Data(values=tuple(rows))


@dataclass(frozen=True)
class Drawing:
    """A chart in the page: what stands above it, what it shows in words, and its SVG: for a desk, and, where it is
    another one, for a telephone.
    """

    title: str
    alt: str
    wide: Markup
    tall: Markup | None = None


def drawing(name: str, title: str, alt: str, beside: Beside, wide: Chart, tall: Chart | None = None) -> Drawing:
    """Draw `name.png` and `name.svg`, to stand beside the page, and the drawing for the page itself."""
    svg = _svg(wide)
    beside.add_text(f"{name}.svg", svg)
    beside[f"{name}.png"] = vl_convert.svg_to_png(_on_paper(svg), scale=_PIXELS)
    return Drawing(title, alt, _inline(svg, name, alt), tall and _inline(_svg(tall), f"{name}-tall", alt))


def _on_paper(svg: str) -> str:
    """With a ground of its own, so that it can be read wherever it is shown."""
    opening, content = svg.split(">", 1)
    return f'{opening}><rect width="100%" height="100%" fill="{COLOURS["paper"]}"/>{content}'


def _svg(chart: Chart) -> str:
    """The same chart is the same bytes: the renderer counts its clips over all that it has drawn, so they get names of
    their own here. A hundredth of a pixel is enough.
    """
    svg = str(vl_convert.vegalite_to_svg({**chart.to_dict(), "config": CONFIG}))
    names = dict.fromkeys(re.findall(r'<clipPath id="(\w+)"', svg))
    clips = {name: f"clip-{place}" for place, name in enumerate(names)}

    def tidied(tag: str) -> str:
        named = _CLIP.sub(lambda found: found[1] + clips[found[2]], tag)
        return _PLACES.sub(lambda found: _LONG.sub(r"\1", found[0]), named)

    return _in_tags(svg, tidied)


def _inline(svg: str, name: str, alt: str) -> Markup:
    """The SVG for an HTML page: the page's colours, a width that gives way, ids that no other chart has."""
    opening, content = svg.split(">", 1)
    (box,) = re.findall(r'viewBox="[^"]*"', opening)
    width = re.findall(r'width="([\d.]+)"', opening)[0]
    content = _in_tags(content, lambda tag: _COLOUR.sub(_variable, _CLIP.sub(rf"\g<1>{name}-\g<2>", tag)))
    return Markup(
        f'<svg class="chart" role="graphics-document" aria-label="{escape(alt)}" {box} style="max-width:{width}px">'
        f"{content}"
    )


def _in_tags(svg: str, change: Callable[[str], str]) -> str:
    """Change what stands in tags: a class may be called "#1c1f24"."""
    return re.sub(r"<[^>]*>", lambda tag: change(tag[0]), svg)


def _variable(attribute: "re.Match[str]") -> str:
    name = _CALLED.get(attribute[2])
    return f'{attribute[1]}="var(--{name})"' if name else attribute[0]
