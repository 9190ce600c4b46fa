from dataclasses import replace

from tests.report.outcomes import cell, comparison, effect, outcome, t
from vitlab.report.two_studies import comparisons, in_common, notes, only_in_one, picture, scores, shared

NAMES = ("first", "second")
ONE = outcome(
    comparison("none", "removing positions", -0.41, t(-0.439, -0.382), "worse"),
    comparison("cls", "cls", 0.003, t(-0.008, 0.014), "not distinguishable"),
)
OTHER = outcome(
    comparison("rope2d", "rope2d", 0.02, t(0.01, 0.03), "better"),
    comparison("none", "removing positions", -0.3, None, None),
)


def test_what_both_compared_stands_side_by_side():
    assert [(a.name, b.name) for a, b in shared((ONE, OTHER))] == [("none", "none")]
    (row,) = comparisons(NAMES, (ONE, OTHER)).rows
    assert [entry.text for entry in row] == ["none", "−41.0", "[−43.9, −38.2]", "worse", "−30.0", None, None]
    assert row[-1].note == "cell: 1 run has no spread"


def test_scores_are_of_all_cells_of_either():
    table = scores(NAMES, (ONE, OTHER))
    assert [row[0].text for row in table.rows] == ["baseline", "none", "cls", "rope2d"]
    assert [entry.text for entry in table.rows[0]] == ["baseline", *2 * ("96.1", "[95.2, 97.0]", "6")]
    assert [entry.note for entry in table.rows[2][4:]] == ["no such cell"] * 3


def test_what_only_one_has_is_told():
    assert only_in_one(NAMES, (ONE, OTHER)) == ["Only in first: cls.", "Only in second: rope2d."]
    assert in_common((ONE, outcome())) == ["The two studies have no comparison in common."]


def test_the_picture_has_both_means(beside):
    drawing = picture(NAMES, (ONE, OTHER), beside)
    svg = beside["differences.svg"].decode()
    for words in ("● −41.0  ◆ −30.0", ">first<", ">second<"):
        assert words in svg
    assert drawing.alt.endswith("none: −41.0 and −30.0.")


def test_no_picture_of_two_metrics_or_of_nothing_shared(beside):
    loss = outcome(*OTHER.comparisons, metric="test_loss", better="lower")
    assert picture(NAMES, (ONE, loss), beside) is None
    assert picture(NAMES, (ONE, outcome()), beside) is None
    assert len(notes(NAMES, (ONE, loss))) == 1 + len(notes(NAMES, (ONE, OTHER)))


def test_the_same_settings_are_the_same_comparison_whatever_it_is_called_and_verdicts_in_common_are_counted():
    other = outcome(comparison("no positions", "removing positions", -0.3, t(-0.35, -0.25), "worse"))
    assert [(a.name, b.name) for a, b in shared((ONE, other))] == [("none", "no positions")]
    assert in_common((ONE, other)) == ["They have 1 comparison in common, 1 with the same verdict."]
    assert in_common((ONE, OTHER)) == ["They have 1 comparison in common, none with the same verdict."]
    assert only_in_one(NAMES, (ONE, other)) == ["Only in first: cls."]


def test_effects_of_two_factorials_are_the_same_where_they_change_the_same():
    """Of other names for factors and levels."""
    cells = tuple(
        cell(name, levels=levels, settings=settings)
        for name, levels, settings in (
            ("a", {"f": "1"}, {}),
            ("b", {"f": "2"}, {"model.depth": 3}),
        )
    )
    renamed = tuple(replace(each, name=each.name * 2, levels={"g": each.levels["f"] * 2}) for each in cells)
    first = outcome(cells=cells, effects=(effect(("f",), ("2",), ("1",), -0.1, t(-0.2, -0.05), "worse"),))
    second = outcome(cells=renamed, effects=(effect(("g",), ("22",), ("11",), -0.2, t(-0.3, -0.1), "worse"),))
    assert [(a.name, b.name) for a, b in shared((first, second))] == [
        ("on average: f 2 instead of 1", "on average: g 22 instead of 11")
    ]
    assert [row[0].text for row in scores(NAMES, (first, second)).rows] == ["a", "b"]
