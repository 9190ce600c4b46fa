"""The picture of `vitlab bench statistics`: how often verdicts err, what they see, and what intervals cover."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitlab.base.files import write_json
from vitlab.bench.simulations import KINDS
from vitlab.bench.simulations.row import Row
from vitlab.report.beside import Beside
from vitlab.report.figures import COLOURS, STYLE, Drawing, as_drawing

MARKS = {
    "decision": ("accent", "o"),
    "paired t": ("second", "v"),
    "Welch": ("third", "s"),
    "Dunnett T3": ("muted", "D"),
}
CALLED = {name: "the tests that decide" if name == "decision" else name for name in MARKS}
_COVERS = {
    "crossed": ("accent", "o"),
    "Satterthwaite": ("third", "s"),
    "Cochran and Cox": ("muted", "D"),
    "seeds alone": ("second", "v"),
}
_GIVEN = {each.name for each in fields(Row)}
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
    with matplotlib.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure = Figure(figsize=(12, 6.4), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1, 1))
        above, below = right.get_subplotspec().subgridspec(2, 1).subplots()
        right.remove()
        _errors(left, [row for row in rows if row["kind"] == "error"], figures["alpha"])
        _powers(above, [row for row in rows if row["kind"] == "power"])
        _coverages(below, [row for row in rows if row["kind"] == "coverage"])
        title = "How often verdicts err, what they see, and what intervals cover"
        alt = f"{title}: shares of {figures['studies']:,} simulated studies, the tests that decide beside three others."
        return as_drawing(figure, "statistics", title, alt, beside)


def _errors(axes: Axes, rows: Sequence[Mapping[str, Any]], alpha: float) -> None:
    shown = [row for row in rows if (row["seeds"], row["comparisons"]) == (_SEEDS, _COMPARISONS)]
    for place, row in enumerate(shown):
        for offset, (method, (colour, marker)) in enumerate(MARKS.items()):
            at = place + 0.14 * (offset - 1.5)
            label = None if place else CALLED[method]
            axes.plot(row[method], at, marker, color=COLOURS[colour], markersize=5, label=label)
    axes.axvline(alpha, color=COLOURS["ink"], linewidth=0.9)
    axes.set_yticks(range(len(shown)), [_named(row) for row in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(f"share of studies with a false verdict; line: {alpha:g}")
    axes.set_title(f"Equal means, {_SEEDS} seeds, {_COMPARISONS} comparisons", loc="left", fontsize=10)
    if shown:
        axes.legend(frameon=False, fontsize=8, loc="center right")


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['pictures']:,} pictures" if "pictures" in row else str(row["law"])


def _powers(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    for baseline in sorted({row["baseline_seeds"] for row in rows}):
        chosen = [row for row in rows if row["baseline_seeds"] == baseline]
        effects = [row["effect"] for row in chosen]
        for method in ("decision", "paired t"):
            colour, marker = MARKS[method]
            style = "-" if baseline > _SEEDS else ":"
            label = f"{CALLED[method]}, baseline of {baseline}"
            axes.plot(
                effects,
                [row[method] for row in chosen],
                marker + style,
                color=COLOURS[colour],
                markersize=4,
                label=label,
            )
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("effect, standard deviations of runs", fontsize=8)
    axes.set_title("Power", loc="left", fontsize=10)
    if rows:
        axes.legend(frameon=False, fontsize=7, loc="lower right")


def _coverages(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """A line each contrast and number of seeds; a mark each number of pictures, and each law of them."""
    named: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        named.setdefault(f"{row['contrast']}, {row['seeds']} seeds", []).append(row)
    for place, together in enumerate(named.values()):
        for offset, (how, (colour, marker)) in enumerate(_COVERS.items()):
            shares, at = [row[how] for row in together], place + 0.17 * (offset - 1.5)
            label = None if place else how
            axes.plot(shares, [at] * len(shares), marker, color=COLOURS[colour], markersize=3.5, label=label)
    axes.axvline(0.95, color=COLOURS["ink"], linewidth=0.9)
    axes.set_yticks(range(len(named)), list(named), fontsize=7)
    axes.invert_yaxis()
    axes.set_title("Coverage of 95 % intervals", loc="left", fontsize=10)
    if rows:
        axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.3, -0.12), ncols=4)


def tables(figures: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """All rows as tables: a title, columns, rows."""
    for name, kind in KINDS.items():
        rows = [row for row in figures["rows"] if row["kind"] == name]
        if rows:
            methods = [method for method in rows[0] if method not in _GIVEN]
            columns = tuple(_COLUMNS.get(each, each) for each in (*kind.told_by, *methods))
            yield kind.title, columns, [_line(row, kind.told_by, methods) for row in rows]


_COLUMNS = {"baseline_seeds": "seeds of the baseline", "contrast": "of a"}


def _line(row: Mapping[str, Any], told_by: Sequence[str], methods: Sequence[str]) -> tuple[str, ...]:
    return (*(_value(row.get(name)) for name in told_by), *(f"{row[method]:.3f}" for method in methods))


def _value(value: Any) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


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
