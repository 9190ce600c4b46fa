import math

import pytest

from vitlab.base.errors import UserError
from vitlab.stats.corrections import holm
from vitlab.stats.decision import compare, decide
from vitlab.stats.paired import paired

BASELINE = {0: 0.90, 1: 0.91, 2: 0.92, 3: 0.90}
CELLS = {
    "worse": {0: 0.80, 1: 0.82, 2: 0.81, 3: 0.80},
    "better": {0: 0.95, 1: 0.97, 2: 0.98, 3: 0.95},
    "near": {0: 0.91, 1: 0.90, 2: 0.92, 3: 0.90},
}
RAISED = {0: 0.91, 1: 0.93, 2: 0.93, 3: 0.916}  # p = .011: enough alone, too much times 7


def test_worse_better_and_not_distinguishable(whole):
    result = compare(BASELINE, CELLS, better="higher", resamples=99)
    assert list(result) == list(CELLS)
    assert [whole(each).verdict for each in result.values()] == ["worse", "better", "not distinguishable"]
    assert all(each.difference == paired(BASELINE, CELLS[name], resamples=99) for name, each in result.items())
    assert [each.p_holm for each in result.values()] == list(holm([each.difference.p for each in result.values()]))


def test_a_lower_loss_is_better():
    result = compare(BASELINE, CELLS, better="lower", resamples=0)
    assert [each.verdict for each in result.values()] == ["better", "worse", "not distinguishable"]


def test_more_comparisons_ask_for_more():
    alone = compare(BASELINE, {"raised": RAISED}, better="higher", resamples=0)["raised"]
    assert (alone.verdict, alone.p_holm) == ("better", alone.difference.p)
    seven = {"raised": RAISED} | {str(i): CELLS["near"] for i in range(6)}
    company = compare(BASELINE, seven, better="higher", resamples=0)["raised"]
    assert company.verdict == "not distinguishable"
    assert company.p_holm == pytest.approx(7 * alone.difference.p, rel=1e-12)


def test_a_p_of_alpha_itself_decides():
    (raised,) = compare(BASELINE, {"raised": RAISED}, better="higher", resamples=0).values()
    for alpha, verdict in ((raised.p_holm, "better"), (math.nextafter(raised.p_holm, 0), "not distinguishable")):
        (again,) = compare(BASELINE, {"raised": RAISED}, better="higher", alpha=alpha, resamples=0).values()
        assert again.verdict == verdict


def test_without_a_test_there_is_no_verdict_and_the_others_are_corrected_for_it(whole):
    cells = CELLS | {"failed": {}, "one": {0: 0.5}, "shifted": {seed: score - 0.25 for seed, score in BASELINE.items()}}
    result = compare(BASELINE, cells, better="higher", resamples=0)
    for name, why in (("failed", "no seed in common"), ("one", "1 value has no spread"), ("shifted", "all 4 values")):
        assert whole(result[name]).verdict is None
        assert result[name].reasons["verdict"].startswith(why)
    smallest = min(each.difference.p for each in result.values() if each.difference.p is not None)
    assert min(each.p_holm for each in result.values() if each.p_holm is not None) == 6 * smallest


def test_identical_to_the_baseline_is_not_distinguishable(whole):
    result = whole(compare(BASELINE, {"same": dict(BASELINE)}, better="higher", resamples=0)["same"])
    assert (result.verdict, result.p_holm) == ("not distinguishable", 1.0)


def test_nonsense_is_refused():
    with pytest.raises(UserError, match="'up'"):
        compare(BASELINE, CELLS, better="up")
    with pytest.raises(UserError, match="alpha=5"):
        compare(BASELINE, CELLS, better="higher", alpha=5)
    with pytest.raises(UserError, match=r"^odd: "):
        compare(BASELINE, {"odd": {0: float("nan")}}, better="higher")
    assert compare(BASELINE, {}, better="higher") == {}


def test_differences_to_several_baselines_are_decided_together(whole):
    """Each cell of a walk has its own baseline; the correction goes over all of them."""
    steps = {
        "first": paired(BASELINE, CELLS["worse"], resamples=0),
        "second": paired(CELLS["worse"], RAISED, resamples=0),
    }
    steps["none"] = paired(BASELINE, {}, resamples=0)
    result = decide(steps, better="higher")
    assert [each.verdict for each in result.values()] == ["worse", "better", None]
    assert [each.difference for each in result.values()] == list(steps.values())
    assert [each.p_holm for each in result.values()] == list(holm([each.p for each in steps.values()]))
    assert whole(result["none"]).reasons["verdict"] == "no seed in common"
    assert [each.verdict for each in decide(steps, better="lower").values()] == ["better", "worse", None]


def test_comparing_with_one_baseline_is_deciding_its_differences():
    differences = {name: paired(BASELINE, cell, name, resamples=99) for name, cell in CELLS.items()}
    assert decide(differences, better="higher", alpha=0.01) == compare(
        BASELINE, CELLS, better="higher", alpha=0.01, resamples=99
    )


def test_no_difference_is_no_decision():
    assert decide({}, better="higher") == {}
