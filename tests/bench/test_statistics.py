"""How often verdicts err, what they see and what intervals cover: the committed table's figures, with fewer studies."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vitlab.bench.simulations import KINDS
from vitlab.bench.simulations.laws import ALIKE, LAWS
from vitlab.bench.simulations.methods import METHODS
from vitlab.bench.simulations.row import Row
from vitlab.bench.statistics import bench_statistics, broken, rows, simulated
from vitlab.report.beside import Beside
from vitlab.report.error_rates import draw, markdown, tables
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
    (seven,) = [
        row for row in figures["rows"] if (row["kind"], row.get("effect"), row["baseline_seeds"]) == ("power", 3.0, 6)
    ]
    assert seven["decision"] >= 0.74 or seven["decision"] >= seven["paired t"]


def test_a_row_is_the_same_whoever_simulates_it():
    row = Row("error", "normal", 4, 2, 6)
    assert simulated(row, 5) == simulated(row, 5)
    one, two = (bench_statistics(10, ["factorial", "pairing"], jobs)["rows"] for jobs in (1, 2))
    assert one == two
    assert [(each["kind"], each["seeds"]) for each in one] == [
        (row.kind, row.seeds) for row in rows(["factorial", "pairing"])
    ]


ASKED = {  # a row that is not as asked for, and what is said
    "error": ({"law": "normal", "decision": 0.09}, "law normal: decision errs in 0.090"),
    "power": (
        {"law": ALIKE, "decision": 0.5, "paired t": 0.7, "seeds": 6, "baseline_seeds": 16, "effect": 2.0},
        "decision finds 0.500, and should 0.700",
    ),
    "coverage": ({"contrast": "mean", "seeds": 6, "crossed": 0.985}, "crossed intervals cover 0.985"),
    "factorial": ({"law": "normal", "decision": 0.09}, "decision errs in 0.090"),
    "factorial_power": (
        {"law": ALIKE, "effect": 3.0, "decision": 0.4, "paired t, two corrections": 0.7},
        "decision finds 0.400, and should 0.700",
    ),
    "pairing": ({"effect": 0.0, "decision, paired": 0.09}, "decision, paired errs in 0.090"),
    "equivalence": ({"effect": 1.0, "decision": 0.09}, "decision errs in 0.090"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_as_asked_for_is_told(kind):
    row, said = ASKED[kind]
    (told,) = broken({"studies": 2_000, "rows": [{"kind": kind, **row}]})
    assert said in told


def test_three_seeds_may_cover_more():
    """What one may cover with so few seeds is too much with six."""
    row = {"kind": "coverage", "contrast": "mean", "crossed": 0.985}
    assert broken({"studies": 100_000, "rows": [{**row, "seeds": 3, "crossed": 0.975}]}) == []
    assert len(broken({"studies": 100_000, "rows": [{**row, "seeds": 6, "crossed": 0.975}]})) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_table(kind):
    """With a line each row, told apart by what is told."""
    figures = json.loads(RECORD.read_text())
    (table,) = [each for each in tables(figures) if each[0] == KINDS[kind].title]
    told = [line[: len(KINDS[kind].told_by)] for line in table[2]]
    assert len(told) == len(set(told)) == len(KINDS[kind].rows)
    assert f"*{KINDS[kind].title[0].upper()}{KINDS[kind].title[1:]}:*" in list(markdown(figures))


def test_the_other_tests_are_what_they_are_called():
    chances = np.random.default_rng(3)
    found = dict.fromkeys(METHODS, 0)
    expected = {"paired t": 0, "Welch": 0}
    for _ in range(60):
        baseline, cell = chances.normal(size=5), chances.normal(size=5) + 1
        for method in METHODS:
            found[method] += METHODS[method](ScoreTable(baseline), [ScoreTable(cell)])[0]
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
    assert "10,000 images" in svg
    assert "2,000 simulated studies" in drawing.alt
