from dataclasses import replace

import pytest

from tests.report.outcomes import cell, comparison, effect, outcome, t
from vitlab.records.execution import CellExecution
from vitlab.records.outcome import CostRatio, Tuned
from vitlab.report.study_tables import cells, comparisons, effects, executions, p_value

WORSE = comparison("none", "removing it", -0.41, t(-0.439, -0.382), "worse")
UNKNOWN = comparison("gone", "x", None, None, None)


def column(table, title):
    (index,) = [i for i, each in enumerate(table.columns) if each.title == title]
    return [row[index] for row in table.rows]


@pytest.mark.parametrize(("p", "text"), [(0.0123, ".012"), (0.0004, "< .001"), (1.0, "1.000"), (0.0005, ".001")])
def test_p_values(p, text):
    assert p_value(p) == text


def test_a_comparison_s_row():
    table = comparisons(outcome(WORSE))
    assert table.caption == "Differences in test top-1 to baseline, in points."
    assert [(each.title, row.text) for each, row in zip(table.columns, table.rows[0], strict=True)] == [
        ("Cell", "none"),
        ("Verdict", "worse"),
        ("Difference", "−41.0"),
        ("Interval", "[−43.9, −38.2] at 95 %"),
        ("95 % alone", "[−43.3, −38.7]"),
        ("95 % seeds", "[−42.4, −39.6]"),
        ("p seeds", ".012"),
        ("p seeds, images", "< .001"),
        ("p Holm", ".025"),
        ("Seed error", "0.4"),
        ("Image error", "1.2"),
        ("Seeds needed", None),
        ("In SDs of runs", "−3.00"),
        ("Correlation", "−0.25"),
    ]
    assert column(table, "Seeds needed")[0].note == "it does not lean"
    assert column(table, "Interval")[0].values == (-0.439, -0.382, 0.95)


def test_every_name_of_a_column_has_its_value():
    for table in (comparisons(outcome(WORSE, UNKNOWN)), cells(outcome(WORSE)), executions(outcome(WORSE), {}, {})):
        for row in table.rows:
            assert [len(entry.values) for entry in row] == [len(each.names) for each in table.columns]


def test_what_is_unknown_has_no_text_and_a_reason():
    table = comparisons(outcome(UNKNOWN))
    lacking = [entry for entry in table.rows[0] if entry.text is None]
    assert len(lacking) >= 10
    assert all(entry.note for entry in lacking)


def test_a_cell_s_row():
    tuned = Tuned("optim.lr", "0.004", "val_top1", {"0.001": 0.912, "0.004": 0.931, "0.01": None})
    slower = {"seconds_per_step": CostRatio(1.321, 1.28, 1.37)}
    first = replace(outcome().cells[0], tuned=tuned, ratios=slower)
    table = cells(outcome(cells=(first, cell("none"))))
    assert [entry.text for entry in table.rows[0]] == [
        *("baseline", "96.1", "[95.2, 97.0]", "96.2", "94.1", "1.0", "6", "none"),
        *("1,000", "2.00 M", "100", "10.0 (1.32 × [1.28, 1.37])", "4.00 KiB"),
        *("[95.7, 96.5]", "0.4", "1.1"),
        "0.004 (0.001: 91.2 %, 0.004: 93.1 %, 0.01: –)",
    ]
    assert table.rows[1][-1].note == "nothing was tuned"


def test_without_a_grid_there_is_no_column_for_it():
    assert "Tuned" not in [each.title for each in cells(outcome(WORSE)).columns]


def test_a_grid_that_fails_or_ends_too_early_is_told():
    tuned = Tuned(
        "optim.lr", "0.004", "val_top1", {"0.001": 0.912, "0.004": 0.931, "1": None}, {"1": "seed 0: x"}, True
    )
    table = cells(outcome(cells=(cell("baseline", tuned=tuned),)))
    assert table.rows[0][-1].text == (
        "0.004 (0.001: 91.2 %, 0.004: 93.1 %, 1: –; 1 failed: seed 0: x; the best is at the grid’s edge)"
    )


def test_effects_have_a_row_each():
    found = (
        effect(("position",), ("none",), ("learned",), -0.3, t(-0.32, -0.28), "worse"),
        effect(("position", "pool"), ("none", "cls"), ("learned", "mean"), 0.01, None, None),
    )
    table = effects(outcome(effects=found))
    assert [[entry.text for entry in row[:5]] for row in table.rows] == [
        ["position", "none", "worse", "−30.0", "[−32.0, −28.0] at 95 %"],
        ["position × pool", "none, cls", None, "+1.0", None],
    ]
    assert effects(outcome()) is None


def test_how_a_cell_was_trained_tells_the_fastest_first():
    first = CellExecution({}, "stacked", {"one by one": 0.011, "stacked": 0.0055}, 20.0)
    table = executions(outcome(WORSE), {"baseline": [first]}, {"baseline": "cpu, fp32"})
    assert [entry.text for entry in table.rows[0]] == [
        "baseline",
        "stacked",
        "stacked 5.5; one by one 11.0",
        "cpu, fp32",
    ]
    assert [entry.note for entry in table.rows[1][1:]] == ["not trained yet", "not measured yet", "no run has begun"]


def test_a_cell_trained_on_two_kinds_of_host_tells_both():
    hosts = [CellExecution({}, called, {called: seconds}, None) for called, seconds in (("a", 1), ("b", 2))]
    table = executions(outcome(WORSE), {"baseline": hosts}, {})
    assert [entry.text for entry in table.rows[0][1:3]] == ["a · b", "a 1000.0 · b 2000.0"]


def test_of_a_cell_with_one_kernel_no_kernel_is_told():
    ways = {"one by one, fused attention": 0.012, "one by one, explicit attention": 0.011, "stacked": 0.02}
    first = CellExecution({}, "one by one, fused attention", ways, 20.0)
    told = {
        how: [entry.text for entry in executions(outcome(WORSE), {"baseline": [first]}, {}, cells).rows[0][1:3]]
        for how, cells in {"one": {"baseline"}, "several": ()}.items()
    }
    assert told["one"] == ["one by one", "one by one 11.0; stacked 20.0"]
    assert told["several"][0] == "one by one, fused attention"
