"""The picture of `vitlab bench statistics`: how often verdicts err, what they see, and what intervals cover."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np

from vitlab.base.files import write_json
from vitlab.bench.simulations import KINDS
from vitlab.bench.simulations.laws import ALIKE
from vitlab.bench.simulations.row import Row
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Chart, Drawing, data_of, drawing
from vitlab.report.charts.lines import Axis, Frame, Line
from vitlab.report.charts.theme import COLOURS

Look = tuple[str, str]  # a colour of the theme, a shape
MARKS: Mapping[str, Look] = {
    "decision": ("accent", "circle"),
    "paired t": ("second", "triangle-down"),
    "Welch": ("third", "square"),
    "Dunnett T3": ("muted", "diamond"),
}
CALLED = {name: "the tests that decide" if name == "decision" else name for name in MARKS}
_COVERS: Mapping[str, Look] = {
    "crossed": ("accent", "circle"),
    "Satterthwaite": ("third", "square"),
    "Cochran and Cox": ("muted", "diamond"),
    "seeds alone": ("second", "triangle-down"),
}
_GIVEN = {each.name for each in fields(Row)}
_WIDTH = 400  # pixels, of a frame
_SEEDS, _COMPARISONS = 6, 7  # of the rows that are drawn; all are in the table


def save(figures: Mapping[str, Any], folder: Path) -> None:
    """Write the picture and the figures into a folder: `statistics.png`, `statistics.svg`, `statistics.json`."""
    beside = Beside()
    draw(figures, beside)
    beside.save(folder)
    write_json(folder / "statistics.json", dict(figures))


def draw(figures: Mapping[str, Any], beside: Beside) -> Drawing:
    """The picture, `statistics.png` and `statistics.svg`."""
    rows = figures["rows"]
    by_kind = {kind: [row for row in rows if row["kind"] == kind] for kind in ("error", "power", "coverage")}
    columns = [
        [_errors(by_kind["error"], figures["alpha"])],
        [_coverages(by_kind["coverage"]), _powers(by_kind["power"])],
    ]
    known = [[panel for panel in column if panel is not None] for column in columns]
    title = "How often verdicts err, what they see, and what intervals cover"
    alt_text = (
        f"{title}: shares of {figures['studies']:,} simulated studies, the tests that decide beside three others."
    )
    together = (_apart(alt.vconcat(*column, spacing=36)) for column in known if column)
    chart = _apart(alt.hconcat(*together, spacing=36))
    return drawing("statistics", title, alt_text, beside, chart)


def _apart(chart: alt.HConcatChart | alt.VConcatChart) -> Chart:
    """Each part with its own legend."""
    return chart.resolve_scale(color="independent", shape="independent", strokeDash="independent")


def _errors(rows: Sequence[Mapping[str, Any]], alpha: float) -> Chart | None:
    shown = [row for row in rows if (row["seeds"], row["comparisons"]) == (_SEEDS, _COMPARISONS)]
    if not shown:
        return None
    shares = [(_named(row), CALLED[method], row[method]) for row in shown for method in MARKS]
    looks = {CALLED[method]: look for method, look in MARKS.items()}
    title = f"Equal means, {_SEEDS} seeds, {_COMPARISONS} comparisons: studies with a false verdict"
    return _shares(shares, looks, alpha, title)


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['pictures']:,} images" if "pictures" in row else _value(row["law"])


def _coverages(rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """A row each contrast and number of seeds; a mark each number of images, and each law of them."""
    if not rows:
        return None
    shares = [(f"{row['contrast']}, {row['seeds']} seeds", how, row[how]) for row in rows for how in _COVERS]
    return _shares(shares, _COVERS, 0.95, "Coverage of 95 % intervals")


def _shares(shares: Sequence[tuple[str, str, float]], looks: Mapping[str, Look], line: float, title: str) -> Chart:
    """A row each name, with a mark for the share of each method, one below the other; and the line that is aimed at."""
    data = data_of(
        [
            {"row": name, "method": method, "share": share, "says": f"{name}, {method}: {share:.3f}"}
            for name, method, share in shares
        ]
    )
    axis = alt.Axis(grid=False, labelColor=COLOURS["ink"])
    methods = alt.YOffset("method:N", sort=list(looks), scale=alt.Scale(paddingOuter=1))
    marks = alt.Chart(data).mark_point(filled=True, size=45, opacity=1)
    drawn = marks.encode(
        x=alt.X("share:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6)),
        y=alt.Y("row:N", sort=None, title=None, axis=axis),
        yOffset=methods,
        description="says:N",
        **_looking(looks),
    )
    rule = alt.Chart(data_of([{"share": line}])).mark_rule(color=COLOURS["ink"], aria=False).encode(x="share:Q")
    return alt.layer(rule, drawn).properties(width=_WIDTH, height=alt.Step(6.5), title=title)


def _looking(looks: Mapping[str, Look]) -> dict[str, Any]:
    """The channels that tell methods apart."""
    names, colours, shapes = (
        list(looks),
        [COLOURS[colour] for colour, _ in looks.values()],
        [s for _, s in looks.values()],
    )
    return {
        "color": alt.Color("method:N", scale=alt.Scale(domain=names, range=colours)),
        "shape": alt.Shape("method:N", scale=alt.Scale(domain=names, range=shapes)),
    }


def _powers(rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    rows = [row for row in rows if row["law"] == ALIKE]
    if not rows:
        return None
    lines = []
    for baseline in sorted({row["baseline_seeds"] for row in rows}):
        chosen = [row for row in rows if row["baseline_seeds"] == baseline]
        for method in ("decision", "paired t"):
            points = np.array([(row["effect"], row[method]) for row in chosen], float)
            dash = () if baseline > _SEEDS else (3, 3)
            lines.append(Line(f"{CALLED[method]}, baseline of {baseline}", points, MARKS[method][0], dash))
    x = Axis("effect, standard deviations of runs")
    frame = Frame(lines, x, Axis("power", "{:.3f}".format, bottom=0.0)).with_legend(_WIDTH)
    return frame.properties(title="Power: studies that find a cell which differs, images as hard for all")


def tables(figures: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """All rows as tables: a title, columns, rows."""
    for name, kind in KINDS.items():
        rows = [row for row in figures["rows"] if row["kind"] == name]
        if rows:
            methods = [method for method in rows[0] if method not in _GIVEN]
            columns = tuple(_COLUMNS.get(each, each) for each in (*kind.told_by, *methods))
            yield kind.title, columns, [_line(row, kind.told_by, methods) for row in rows]


_COLUMNS = {"pictures": "images", "baseline_seeds": "seeds of the baseline", "contrast": "of a"}


def _line(row: Mapping[str, Any], told_by: Sequence[str], methods: Sequence[str]) -> tuple[str, ...]:
    return (*(_value(row.get(name)) for name in told_by), *(f"{row[method]:.3f}" for method in methods))


def _value(value: Any) -> str:
    """As it is read. A law keeps its name in the record, by which its studies are drawn; pages call pictures images."""
    return (
        "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value).replace("pictures", "images")
    )


def markdown(figures: Mapping[str, Any]) -> Iterator[str]:
    """All rows as Markdown: what docs/statistics.md has."""
    env, studies = figures["env"], figures["studies"]
    commit, numpy = (env["commit"] or "none")[:7], env["versions"]["numpy"]
    yield f"{studies:,} studies a row, commit {commit}, NumPy {numpy}. One standard error of a share of .05 is"
    yield f"{(0.05 * 0.95 / studies) ** 0.5:.3f}."
    for title, columns, rows in tables(figures):
        yield from (
            "",
            f"*{title[0].upper()}{title[1:]}:*",
            "",
            f"| {' | '.join(columns)} |",
            "|" + "---|" * len(columns),
        )
        yield from (f"| {' | '.join(row)} |" for row in rows)
