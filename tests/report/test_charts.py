"""Charts in a real browser: nothing covers a text, nothing is cut, marks say what they are, and axe finds nothing."""

import re
import shutil
from html import unescape
from importlib.resources import files
from pathlib import Path

import pytest

from tests.report.browser import asked, printed
from tests.report.conftest import change, write_run
from tests.report.studies import run_folder, write_study
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import drawing
from vitlab.report.charts.names import apart
from vitlab.report.charts.near import nearer
from vitlab.report.charts.rows import Mark, Row, Rows
from vitlab.report.forest import STYLES
from vitlab.report.write import write_report

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]

# Of every chart that is seen: pairs of texts, or of a text and a mark, that share a pixel, and texts that are cut
COVERED = """(document, window) => {
  const found = [], boxes = (elements) => elements.map((each) => [each, each.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && box.height > 0);
  const name = (each) => each.textContent || each.getAttribute("aria-label") || each.tagName;
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
  let charts = 0, seen = 0;
  for (const chart of document.querySelectorAll("svg.chart")) {
    const frame = chart.getBoundingClientRect();
    if (!frame.width) continue;
    charts += 1;
    const all = [...chart.querySelectorAll("text")].filter((each) => each.textContent);
    const texts = boxes(all.filter((each) => !each.closest(".confusion")));
    const dots = [...chart.querySelectorAll('path[role="graphics-symbol"]')]
      .filter((each) => each.getAttribute("opacity") !== "0" && !each.closest(".mark-rect"));
    const rules = [...chart.querySelectorAll(".mark-rule.role-mark line, .mark-tick.role-mark path")];
    const marks = boxes([...dots, ...rules]);
    seen += texts.length;
    texts.forEach(([text, box], place) => {
      const cut = box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      if (cut) found.push(`${name(text)} is cut`);
      for (const [other, there] of [...texts.slice(place + 1), ...marks])
        if (meet(box, there)) found.push(`${name(text)} and ${name(other)}`);
    });
  }
  return { charts, seen, found, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };
}"""

SAID = """(document, window) => {
  const tip = document.querySelector(".tip"), chart = document.querySelector("svg.chart");
  const marks = [...chart.querySelectorAll('path[role="graphics-symbol"][aria-label]')];
  const point = (type, target) =>
    target.dispatchEvent(new window.PointerEvent(type, { bubbles: type === "pointerover" }));
  const before = tip.hidden;
  point("pointerover", marks[3]);
  const pointed = [tip.hidden, tip.textContent, marks[3].getAttribute("aria-label")];
  point("pointerleave", chart);
  const left = tip.hidden;
  const press = (key) => chart.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true }));
  const box = (mark) => mark.getBoundingClientRect();
  const order = [...marks], large = marks.filter((mark) => box(mark).width >= 6);
  const above = (a, b) => box(a).top - box(b).top || box(a).left - box(b).left;
  if (large.length && large.length < marks.length) order.sort(above);
  press("ArrowRight"); press("ArrowRight");
  const pressed = [tip.hidden, tip.textContent, order[1].getAttribute("aria-label")];
  press("Home"); press("ArrowDown");
  const second = order.filter((mark) => large.includes(mark))[1];
  const down = [tip.hidden, tip.textContent, second.getAttribute("aria-label")];
  press("End");
  const end = [tip.hidden, tip.textContent, order.at(-1).getAttribute("aria-label")];
  press("Escape");
  return { before, pointed, left, pressed, down, end, after: tip.hidden, reached: chart.tabIndex };
}"""


@pytest.fixture(scope="module", params=["demo", "20 cells", "3 seeds", "failures", "a run", "two runs", "two studies"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "of"
    if request.param.startswith("two"):
        pair = folder / "one", folder / "other"
        folder.mkdir()
        for each, seeds in zip(pair, (4, 6), strict=True):
            write_run(each) if request.param == "two runs" else write_study(each, cells=5, seeds=seeds)
        return write_report(*pair)
    if request.param == "demo":
        shutil.copytree(ROOT / "evidence/demo", folder)
    elif request.param == "a run":
        write_run(folder)
    else:
        write_study(
            folder, cells=20 if request.param == "20 cells" else 4, seeds=3 if request.param == "3 seeds" else 4
        )
    if request.param == "failures":
        for seed in (0, 1):
            place = run_folder(folder, "position embedding none", seed) / "result.json"
            change(place, status="failed", reason="the loss is no number", metrics={})
        shutil.rmtree(run_folder(folder, "position embedding sincos2d", 0).parent)
    return write_report(folder)


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, False), (390, True)])
def test_nothing_covers_a_text_and_nothing_is_cut(page: Path, width: int, dark: bool) -> None:
    told = asked(page, COVERED, width=width, dark=dark)
    assert told["charts"] >= 1
    assert told["seen"] > 8
    assert told["found"] == []
    assert told["wide"] <= 0


def test_the_picture_begins_on_the_first_screen(page: Path) -> None:
    """Of 800 pixels, with its title and its first row: below the question and as many answers as there is room for."""
    charts = """(document) => [...document.querySelectorAll("svg.chart")].map((each) => each.getBoundingClientRect())
      .filter((box) => box.width).map((box) => box.top)"""
    assert asked(page, charts)[0] < 740


def test_a_mark_says_what_it_is(page: Path) -> None:
    told = asked(page, SAID)
    assert told["before"] is told["left"] is told["after"] is True
    for hidden, words, label in (told[how] for how in ("pointed", "pressed", "down", "end")):
        assert (hidden, words) == (False, label)
    assert told["reached"] == 0


def test_on_paper_no_heading_is_left_alone_and_every_name_is_there(page: Path) -> None:
    sheets, text = printed(page), page.read_text(encoding="utf-8")
    headings = {unescape(each) for each in re.findall(r"<(?:h2|h3)[^>]*>([^<]+)<", text)}
    assert len(headings) > 2
    assert [sheet[-1] for sheet in sheets if sheet[-1] in headings] == []
    assert all(len(sheet) > 3 for sheet in sheets[:-1])  # the last may have the colophon alone
    names = {unescape(each) for each in re.findall(r"<summary>([^<]+)</summary>", text)} - {"Full configuration"}
    whole = " ".join(line for sheet in sheets for line in sheet)
    assert [name for name in names if name not in whole] == []


def test_axe_finds_nothing_serious(page: Path) -> None:
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    tested = page.with_name("tested.html")
    tested.write_text(
        page.read_text(encoding="utf-8").replace("</body>", f"<script>{axe}</script></body>"), encoding="utf-8"
    )
    run = """(document, window) => window.axe.run(document).then(({ violations, passes }) => [
      passes.length,
      violations.filter((each) => ["serious", "critical"].includes(each.impact))
        .map((each) => `${each.id}: ${each.nodes.length} × ${each.nodes[0].html.slice(0, 200)}`),
    ])"""
    passed, serious = asked(tested, run)
    assert passed > 20
    assert serious == []


def test_names_move_apart_and_stay_inside() -> None:
    places = apart([50.0, 52.0, 51.0, 10.0], 13, 100)
    assert places[3] == 10.0
    assert sorted(places[:3]) == [places[0], places[2], places[1]]
    assert all(abs(a - b) >= 12.9 for a in places for b in places if a != b)
    assert max(apart([99.0, 100.0, 100.0], 13, 100)) <= 100


def test_what_squeezes_the_others_is_left_out_of_the_nearer_look() -> None:
    rest = [(-1.0, 1.0), (-2.0, 0.5), (0.0, 1.5), (-1.2, 0.1)]
    assert nearer(rest, 0.0) is None
    low, high = nearer([*rest, (-30.0, -20.0)], 0.0)
    assert -3 < low < -2
    assert 1.5 < high < 2
    assert nearer([(0.0, 0.0)] * 3, 0.0) is None
    assert nearer([(0.0, 9.0)], 0.0) is None


def test_an_arrow_beyond_the_larger_look_has_the_colour_of_its_own_row() -> None:
    def row(kind: str, value: float) -> Row:
        return Row(f"{kind} {value}", "", (Mark(kind, value, (value - 1, value + 1), f"{kind} {value}"),))

    rows = [row("better", 0.5), row("better", 1.5), row("not distinguishable", -0.5), row("worse", -90.0)]
    drawn = str(drawing("rows", "", "", Beside(), Rows(rows, STYLES, "points", 0.0).wide()).wide)
    (arrow,) = re.findall(r'<path aria-label="worse -90.0, beyond this axis"[^>]*>', drawn)
    assert 'fill="var(--second)"' in arrow
    fills = re.findall(r'fill="var\(--(\w+)\)"', " ".join(re.findall("role-legend-symbol.*?/>", drawn)))
    assert fills == ["second", "accent", "paper"]  # as the marks: hollow where nothing is distinguishable


def test_rows_stand_at_the_same_heights_with_intervals_and_without() -> None:
    def heights(ends: tuple[float, float] | None) -> list[str]:
        rows = [Row(name, "1.0", (Mark("better", 1.0, ends, name),)) for name in ("one", "other")]
        drawn = str(drawing("rows", "", "", Beside(), Rows(rows, STYLES, "points", 0.0).wide()).wide)
        return re.findall(r'<path aria-label="(?:one|other)"[^>]*transform="translate\([-\d.]+,([-\d.]+)\)"', drawn)

    assert len(heights(None)) == 2
    assert heights(None) == heights((0.5, 1.5))


def test_an_axis_of_one_value_reaches_a_unit_to_either_side() -> None:
    rows = Rows([Row("same", "0.0", (Mark("no verdict", 0.0, None, "same"),))], STYLES, "points", 0.0)
    labels = re.findall(r">([^<]+)</text>", str(drawing("rows", "", "", Beside(), rows.wide()).wide))
    assert {"−1", "1"} <= {label.removesuffix(".0") for label in labels}
