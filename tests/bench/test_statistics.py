"""How often verdicts err, what they see and what intervals cover: the committed table's figures, with fewer studies."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vitlab.bench.laws import LAWS
from vitlab.bench.statistics import FINDS, METHODS, Row, bench_statistics, broken, rows, simulated
from vitlab.report.beside import Beside
from vitlab.report.error_rates import draw
from vitlab.stats.crossed import ScoreTable

RECORD = Path(__file__).parents[2] / "bench" / "results" / "statistics.json"


@pytest.mark.slow
def test_two_hundred_studies_of_every_kind():
    figures = bench_statistics(200, jobs=2)
    assert len(figures["rows"]) == len(rows())
    assert broken(figures) == []


def test_the_record_is_of_two_thousand_and_says_what_is_asked_for():
    figures = json.loads(RECORD.read_text())
    assert figures["studies"] == 2_000
    assert {(row["kind"], row["law"]) for row in figures["rows"]} == {(row.kind, row.law) for row in rows()}
    assert broken(figures) == []
    (seven,) = [row for row in figures["rows"] if row.get("effect") == 3.0 and row["baseline_seeds"] == 6]
    assert seven["decision"] >= 0.74 or seven["decision"] >= seven["paired t"]


def test_a_row_is_the_same_whoever_simulates_it():
    row = Row("error", "normal", 4, 2, 6)
    assert simulated(row, 5) == simulated(row, 5)
    one, two = (bench_statistics(10, ["coverage"], jobs)["rows"] for jobs in (1, 2))
    assert one == two
    assert [each["pictures"] for each in one] == [360, 1_000, 10_000] * 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"kind": "error", "law": "normal", "decision": 0.09, "seeds": 6, "comparisons": 7}, "error, normal"),
        (
            {
                "kind": "power",
                "law": "pictures",
                "decision": 0.5,
                "paired t": 0.7,
                "baseline_seeds": 16,
                "effect": 2.0,
                "seeds": 6,
                "comparisons": 7,
            },
            "0.700",
        ),
        (
            {
                "kind": "coverage",
                "law": "pictures",
                "seeds": 3,
                "comparisons": 1,
                "pictures": 360,
                "mean, crossed": 0.9,
                "difference, crossed": 0.95,
            },
            "mean, crossed 0.900",
        ),
    ],
)
def test_what_is_not_as_asked_for_is_told(row, said):
    (told,) = broken({"studies": 2_000, "rows": [row]})
    assert said in told


def test_the_other_tests_are_what_they_are_called():
    chances = np.random.default_rng(3)
    found = dict.fromkeys(METHODS, 0)
    expected = {"paired t": 0, "Welch": 0}
    for _ in range(60):
        baseline, cell = chances.normal(size=5), chances.normal(size=5) + 1
        for method in METHODS:
            found[method] += FINDS[method](ScoreTable(baseline), [ScoreTable(cell)])[0]
        expected["paired t"] += stats.ttest_rel(cell, baseline).pvalue <= 0.05
        expected["Welch"] += stats.ttest_ind(cell, baseline, equal_var=False).pvalue <= 0.05
    assert {method: found[method] for method in expected} == expected
    assert found["Dunnett T3"] == pytest.approx(found["Welch"], abs=1)  # of one comparison it is Welch's


def test_the_picture_has_every_law_and_no_empty_panel():
    beside = Beside()
    figures = json.loads(RECORD.read_text())
    drawing = draw(figures, beside)
    svg = beside["statistics.svg"].decode()
    for law in LAWS:
        assert law.name.split(",")[0] in svg
    assert "10,000 pictures" in svg
    assert "2,000 simulated studies" in drawing.alt
