"""What is claimed of a study's contrasts."""

import math

import numpy as np
import pytest

from vitlab.stats.corrections import holm
from vitlab.stats.crossed import ScoreTable, contrast
from vitlab.stats.decision import Claim, decide, holm_levels, undecided
from vitlab.stats.permutation import PermutationTest, Stratum

BASELINE = [0.90, 0.91, 0.92, 0.90, 0.905, 0.915]
WORSE = [0.80, 0.82, 0.81, 0.80, 0.805, 0.815]
BETTER = [0.95, 0.97, 0.98, 0.95, 0.955, 0.96]
NEAR = [0.91, 0.90, 0.92, 0.90, 0.91, 0.905]
RAISED = [0.915, 0.92, 0.935, 0.918, 0.922, 0.914]  # enough alone, too little of seven


def claim(runs, baseline=BASELINE, **more):
    estimate = contrast([ScoreTable(runs, name="cell"), ScoreTable(baseline, name="baseline")], [1.0, -1.0])
    if estimate.error is None:
        return Claim(estimate, **more)
    return Claim(estimate, PermutationTest([Stratum(np.array(runs), np.array(baseline))]), **more)


def test_worse_better_and_not_distinguishable(whole):
    claims = {"worse": claim(WORSE), "better": claim(BETTER), "near": claim(NEAR)}
    decided = decide(claims, better="higher")
    assert {name: whole(each).verdict for name, each in decided.items()} == {
        "worse": "worse",
        "better": "better",
        "near": "not distinguishable",
    }
    assert [each.p_holm for each in decided.values()] == list(holm([each.p for each in decided.values()]))
    turned = decide(claims, better="lower")
    assert [each.verdict for each in turned.values()] == ["better", "worse", "not distinguishable"]


def test_p_is_the_larger_of_both_tests():
    (raised,) = decide({"raised": claim(RAISED)}, better="higher").values()
    assert raised.p == max(raised.p_runs, raised.p_crossed)
    assert raised.p_crossed == claim(RAISED).estimate.p()
    assert raised.p_runs == claim(RAISED).test.p()
    without = Claim(claim(RAISED).estimate)  # an interaction
    (alone,) = decide({"raised": without}, better="higher").values()
    assert (alone.p, alone.p_runs) == (raised.p_crossed, None)


def test_more_claims_ask_for_more():
    alone = decide({"raised": claim(RAISED)}, better="higher")["raised"]
    assert (alone.verdict, alone.p_holm) == ("better", alone.p)
    company = decide({"raised": claim(RAISED)} | {str(i): claim(NEAR) for i in range(6)}, better="higher")["raised"]
    assert company.verdict == "not distinguishable"
    assert company.leans
    assert company.p_holm == pytest.approx(7 * alone.p, rel=1e-12)
    assert company.quoted.level == pytest.approx(1 - 0.05 / 7, rel=1e-12)


def test_a_p_of_alpha_itself_decides():
    (raised,) = decide({"raised": claim(RAISED)}, better="higher").values()
    for alpha, verdict in ((raised.p, "better"), (math.nextafter(raised.p, 0), "not distinguishable")):
        (again,) = decide({"raised": claim(RAISED)}, better="higher", alpha=alpha).values()
        assert again.verdict == verdict


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_leaves_out_zero_exactly_where_there_is_a_verdict(seed):
    chances = np.random.default_rng(seed)
    shifts = chances.uniform(0, 4, size=5)
    baseline = chances.normal(size=8)
    claims = {str(i): claim(chances.normal(size=6) + shift, baseline) for i, shift in enumerate(shifts)}
    for each in decide(claims, better="higher").values():
        assert (each.quoted.low > 0 or each.quoted.high < 0) == (each.verdict in ("better", "worse"))
        assert each.quoted.low <= each.value <= each.quoted.high
        assert each.probably_missed == pytest.approx((each.quoted.high - each.quoted.low) / 2, rel=1e-12)


def test_levels_are_holms_and_the_strictest_where_that_is_enough():
    # sorted .001, .014, .03, .2 of four: α/4 = .0125 and α/3 = .0167 reject, α/2 = .025 does not
    levels = holm_levels({"a": 0.03, "b": 0.001, "c": 0.2, "d": 0.014}, 0.05)
    assert levels == pytest.approx({"a": 0.025, "b": 0.0125, "c": 0.025, "d": 0.05 / 3})
    assert holm_levels({"a": None, "b": 0.01}, 0.05) == pytest.approx({"a": 0.05, "b": 0.025})


def test_without_a_test_there_is_no_verdict_and_the_others_are_corrected_for_it(whole):
    claims = {
        "worse": claim(WORSE),
        "failed": claim([]),
        "one": claim([0.5]),
        "flat": claim([0.5] * 6, [0.6] * 6),
    }
    decided = decide(claims, better="higher")
    for name, why in (("failed", "cell: no run"), ("one", "cell: 1 run"), ("flat", "no run differs")):
        assert whole(decided[name]).verdict is None
        assert decided[name].reasons["verdict"].startswith(why)
    assert decided["worse"].p_holm == pytest.approx(4 * decided["worse"].p, rel=1e-12)


def test_identical_to_the_baseline_is_not_distinguishable(whole):
    same = whole(decide({"same": claim(BASELINE)}, better="higher")["same"])
    assert (same.verdict, same.p_holm, same.value) == ("not distinguishable", 1.0, 0.0)


def test_so_few_runs_decide_nothing(whole):
    few = whole(decide({"few": claim([0.8, 0.81, 0.82], [0.9, 0.91, 0.92])}, better="higher")["few"])
    assert (few.verdict, few.quoted, few.leans) == (None, None, False)
    assert few.reasons["verdict"] == "so few runs decide nothing at p ≤ 0.05"


def test_a_cell_that_lost_runs_cannot_be_better_and_can_be_worse(whole):
    lost = {"better": "2 of 6 runs diverged"}
    decided = decide({"up": claim(BETTER, unearned=lost), "down": claim(WORSE, unearned=lost)}, better="higher")
    assert (whole(decided["up"]).verdict, decided["up"].reasons["verdict"]) == (None, "2 of 6 runs diverged")
    assert decided["down"].verdict == "worse"


def test_no_difference_worth_having(whole):
    claims = {"near": claim(NEAR), "worse": claim(WORSE)}
    wide, narrow = (decide(claims, better="higher", worth=worth) for worth in (0.05, 0.005))
    assert whole(wide["near"]).verdict == "no difference worth having"
    assert wide["near"].quoted.level == pytest.approx(1 - 2 * 0.05 / 2)
    assert -0.05 < wide["near"].quoted.low < wide["near"].quoted.high < 0.05
    assert narrow["near"].verdict == "not distinguishable"
    assert wide["worse"].verdict == narrow["worse"].verdict == "worse"
    lost = {"better": "1 of 6 runs diverged"}
    assert (
        decide({"near": claim(NEAR, unearned=lost)}, better="higher", worth=0.05)["near"].verdict
        != wide["near"].verdict
    )


def test_undecided_says_what_is_seen_and_why_nothing_more(whole):
    seen = whole(undecided(claim(WORSE).estimate, "none were asked for"))
    assert seen.value == pytest.approx(-0.1, abs=0.001)
    assert seen.interval is not None
    assert seen.reasons["verdict"] == "none were asked for"


def test_a_difference_that_is_shown_is_not_called_none_though_it_is_small():
    small = claim([0.902, 0.9021, 0.9019, 0.902, 0.9021, 0.9019], [0.9, 0.9001, 0.8999, 0.9, 0.9001, 0.8999])
    assert decide({"a": small}, better="higher", worth=0.005)["a"].verdict == "better"


def test_runs_that_are_all_the_same_show_no_equivalence():
    flat = claim([0.5] * 6, [0.5] * 6)
    assert decide({"a": flat}, better="higher", worth=0.01)["a"].verdict == "not distinguishable"


def test_intervals_of_what_is_not_shown_hold_together():
    """However many others are shown: at 1 - α/m, not at the milder level of Holm's last step."""
    claims = {"a": claim(WORSE), "b": claim(BETTER), "c": claim(NEAR), "d": claim(NEAR)}
    decided = decide(claims, better="higher")
    assert [each.quoted.level for each in decided.values()] == [pytest.approx(1 - 0.05 / 4)] * 4
