"""The picture of `vitlab bench statistics`: how often verdicts err, what they see, and what intervals cover."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vitlab.base.files import write_json
from vitlab.report.beside import Beside
from vitlab.report.figures import COLOURS, STYLE, Drawing, as_drawing

MARKS = {
    "decision": ("accent", "o"),
    "paired t": ("second", "v"),
    "Welch": ("third", "s"),
    "Dunnett T3": ("muted", "D"),
}
CALLED = {name: "the tests that decide" if name == "decision" else name for name in MARKS}
_COVERS = {"crossed": ("accent", "o"), "Satterthwaite": ("third", "s"), "seeds alone": ("second", "v")}
OF_A_ROW = ("kind", "law", "seeds", "comparisons", "baseline_seeds", "pictures", "effect")
TABLES = {  # by kind: what it is, and what tells its rows apart
    "error": ("share with a false verdict", ("law", "pictures", "seeds", "baseline_seeds", "comparisons")),
    "power": (
        "share that finds a cell which differs",
        ("effect", "pictures", "seeds", "baseline_seeds", "comparisons"),
    ),
    "coverage": ("share of 95 % intervals that hold the true value", ("pictures", "seeds")),
}
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
    for place, row in enumerate(rows):
        for how, (colour, marker) in _COVERS.items():
            for what, filled in (("mean", True), ("difference", False)):
                label = f"{what}, {how}" if place == 0 else None
                face = COLOURS[colour if filled else "paper"]
                value = row[f"{what}, {how}"]
                axes.plot(value, place, marker, color=COLOURS[colour], markerfacecolor=face, markersize=5, label=label)
    axes.axvline(0.95, color=COLOURS["ink"], linewidth=0.9)
    axes.set_yticks(
        range(len(rows)), [f"{row['seeds']} seeds, {row['pictures']:,} pictures" for row in rows], fontsize=8
    )
    axes.invert_yaxis()
    axes.set_title("Coverage of 95 % intervals", loc="left", fontsize=10)
    if rows:
        axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.2, -0.12), ncols=3)


def tables(figures: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """All rows as tables: a title, columns, rows."""
    for kind, (title, given) in TABLES.items():
        rows = [row for row in figures["rows"] if row["kind"] == kind]
        if rows:
            methods = [name for name in rows[0] if name not in OF_A_ROW]
            columns = (*("seeds of the baseline" if name == "baseline_seeds" else name for name in given), *methods)
            yield (
                title,
                columns,
                [(*(_value(row.get(name)) for name in given), *(f"{row[m]:.3f}" for m in methods)) for row in rows],
            )


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
