"""A number has the same digits in a sentence, in a table, in a picture, and where a mark of it is pointed at."""

import re

import pytest

from tests.report.conftest import write_run
from tests.report.outcomes import COSTS, cell, comparison, outcome, t
from vitlab.report import forest, study_tables, two_studies
from vitlab.report.answers import compared, reference
from vitlab.report.figures import curves
from vitlab.report.pareto import tradeoffs
from vitlab.report.run import read_run
from vitlab.report.together import draw_together

# Of one the interval nearly reaches 0, so it has two decimals; the wide one beside it has one
NEAR = comparison("a", "x", -0.0075, t(-0.0148, -0.0002), "worse")
FAR = comparison("b", "y", -0.41, t(-0.439, -0.382), "worse")
NARROW = cell("baseline", 0.961, t(0.9605, 0.9615), None, costs=COSTS | {"num_params": 50.0})
STUDY = outcome(
    NEAR,
    FAR,
    cells=(NARROW, cell("a", settings={"changes": "x"}), cell("b", settings={"changes": "y"})),
    fronts={"num_params": ("baseline",)},
)


def words(drawing):
    """What its marks say, and the numbers beside them."""
    return re.findall(r'aria-label="([^"]*)"', str(drawing.wide))


def test_a_difference(beside):
    assert [str(each) for each in compared(STUDY)] == [
        "y costs 41.0 points [38.2, 43.9], 6 seeds",
        "x costs 0.75 points [0.02, 1.48], 6 seeds",
    ]
    rows = {row[0].text: [entry.text for entry in row] for row in study_tables.comparisons(STUDY).rows}
    assert rows["a"][2:4] == ["−0.75", "[−1.48, −0.02] at 95 %"]
    assert rows["b"][2:4] == ["−41.0", "[−43.9, −38.2] at 95 %"]
    drawing = forest.differences(STUDY, beside)
    assert {
        "−0.75 [−1.48, −0.02]",
        "x: −0.75 [−1.48, −0.02] points, worse",
        "y: −41.0 [−43.9, −38.2] points, worse",
    } <= {*words(drawing)}
    assert "x: −0.75 points, worse." in drawing.alt


def test_a_difference_of_two_studies(beside):
    both = STUDY, outcome(NEAR)
    (row,) = two_studies.comparisons(("one", "other"), both).rows
    assert [entry.text for entry in row[1:3]] == ["−0.75", "[−1.48, −0.02]"]
    assert "● −0.75  ◆ −0.75" in words(two_studies.picture(("one", "other"), both, beside))
    (first, *_) = two_studies.scores(("one", "other"), both).rows
    assert [entry.text for entry in first[1:3]] == ["96.10", "[96.05, 96.15]"]


def test_a_score(beside):
    assert str(reference(STUDY)) == "baseline reaches 96.10 % test top-1 [96.05, 96.15], 6 seeds"
    rows = [[entry.text for entry in row] for row in study_tables.cells(STUDY).rows]
    assert [row[1:3] for row in rows[:2]] == [["96.10", "[96.05, 96.15]"], ["90.0", "[89.0, 91.0]"]]
    said = words(forest.scores(STUDY, beside))
    assert {"baseline: 96.10 [96.05, 96.15]", "baseline, seed 0: 96.10", "a: 90.0 [89.0, 91.0]"} <= set(said)
    ((choice,), _) = tradeoffs(STUDY, beside)
    assert "baseline: 96.10 %, Parameters 50" in words(choice.drawings[0])


@pytest.mark.slow
def test_a_curve_s_points_have_the_digits_of_the_scores_without_an_interval(tmp_path, beside):
    run = read_run(write_run(tmp_path / "run"))
    drawn = [curves(run, run.measured[name], beside) for name in ("top1", "loss")]
    drawn += draw_together({"one": [run]}, beside)
    for drawing, digits in zip(drawn, (1, 3, 1, 3), strict=False):
        values = [each.rpartition(": ")[2] for each in words(drawing) if ", epoch " in each]
        assert len(values) >= 12
        assert {len(value.split()[0].partition(".")[2]) for value in values} == {digits}
