"""The sentences, word for word."""

from dataclasses import replace

import pytest

from tests.report.outcomes import cell, comparison, description, effect, outcome, t
from vitlab.records.outcome import RunOutcome
from vitlab.report.answers import answers, ordered, short_names
from vitlab.report.caveats import caveats

WORSE = comparison("none", "removing the position embedding", -0.41, t(-0.439, -0.382), "worse")
BETTER = comparison("rope2d", "rope2d instead of learned positions", 0.021, t(0.012, 0.030), "better")
SAME = comparison("mean", "mean pooling instead of cls", 0.003, t(-0.018, 0.024), "not distinguishable")
NONE_WORTH = "no difference worth having"
NOTHING = comparison("gone", "removing the head", None, None, None, why="gone: no run has a score")


def said(found):
    """The sentences but for those on all of them."""
    return answers(found)[: -len(caveats(found)) or None]


def test_the_largest_effects_come_first_and_what_is_unknown_last():
    assert answers(outcome(NOTHING, SAME, BETTER, WORSE)) == [
        "baseline reaches 96.1 % test top-1 [95.2, 97.0], 6 seeds",
        "removing the position embedding costs 41.0 points [38.2, 43.9], 6 seeds",
        "rope2d instead of learned positions gains 2.1 points [1.2, 3.0], 6 seeds",
        "mean pooling instead of cls: not distinguishable, +0.3 points [−1.8, +2.4], 6 seeds "
        "(a difference of less than 2.1 points would probably have been missed)",
        "removing the head: no answer; gone: no run has a score; 6 seeds",
        "intervals: over other seeds and other test images of this kind, from 360 of them",
        "verdicts, and the intervals beside them (95 %): corrected over all 4 claims (Holm), at p ≤ 0.05; "
        "a score’s own interval: 95 %",
        "held equal over all cells: the number of training steps",
    ]


def test_of_a_loss_more_is_worse_and_the_unit_is_nats():
    worse = comparison("none", "removing positions", 0.41, t(0.382, 0.439), "worse")
    better = comparison("rope2d", "rope2d", -0.0213, t(-0.0302, -0.0124), "better")
    assert said(outcome(worse, better, metric="val_loss", better="lower"))[1:] == [
        "removing positions costs 0.410 nats [0.382, 0.439], 6 seeds",
        "rope2d saves 0.021 nats [0.012, 0.030], 6 seeds",
    ]


def test_what_leans_says_how_many_seeds_would_decide_it():
    leaning = comparison("a", "a change", 0.02, t(-0.002, 0.042), "not distinguishable", seeds_needed=9)
    found = outcome(WORSE, leaning)
    assert said(found)[2] == (
        "a change: not distinguishable, +2.0 points [−0.2, +4.2], 6 seeds "
        "(a difference of less than 2.2 points would probably have been missed); "
        "with 9 seeds a difference as large as this one would probably be shown"
    )
    assert found.seeds_to_decide == 9
    assert outcome(WORSE).seeds_to_decide is None


def test_without_a_test_it_says_why_there_is_no_answer():
    (_, told) = said(outcome(comparison("a", "x", -0.02, None, None)))
    assert told == "x: no answer; −2.0 points, 6 seeds; cell: 1 run has no spread"


def test_what_a_cell_without_some_of_its_runs_earns():
    lost = comparison("a", "x", 0.032, t(0.001, 0.063), None, why="a: 2 of 6 runs diverged")
    runs = tuple(RunOutcome(seed, "", "failed", "", {}, diverged=seed < 2) for seed in range(6))
    cells = (cell("baseline"), cell("a", runs=runs, score=description(4, 0.93, t(0.91, 0.95))))
    (_, told) = said(outcome(lost, cells=cells))
    assert told == ("x: no answer; +3.2 points [+0.1, +6.3], 4 of 6 against 6 seeds; a: 2 of 6 runs diverged")


def test_no_difference_worth_having_says_what_that_is():
    near = comparison("a", "x", 0.001, t(-0.002, 0.004), "no difference worth having")
    (_, told) = said(outcome(near, worth=0.005))
    assert told == "x: no difference worth having (within ±0.5 points), +0.1 points [−0.2, +0.4], 6 seeds"


def test_a_baseline_with_more_seeds_is_told():
    many = cell("baseline", score=description(15, 0.961, t(0.952, 0.970)), runs=cell("baseline").runs * 3)
    (_, told, *_) = answers(outcome(WORSE, cells=(many, cell("none"))))
    assert told == "removing the position embedding costs 41.0 points [38.2, 43.9], 6 against 15 of 18 seeds"


def test_without_verdicts_only_what_was_seen_is_said():
    found = outcome(comparison("a", "x", -0.41, t(-0.439, -0.382), None, why="none"), verdicts=False)
    assert said(found)[1] == "x: −41.0 points [−43.9, −38.2], 6 seeds"
    assert caveats(found)[1] == "no verdicts: the plan asks for none; a difference seen here may be chance"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"no_pictures": "a, seed 1, has kept none"},
            "over other seeds alone, for these test images only: a, seed 1",
        ),
        (
            {"paired": True},
            "paired seed by seed, as planned, with no correlation that earned it; "
            "the correlation of the cells over seeds is −0.25",
        ),
        (
            {"paired": True, "paired_for": 0.85},
            "paired seed by seed, as planned, for a correlation of 0.85 seen before; "
            "the correlation of the cells over seeds is −0.25",
        ),
        ({"worth": 0.005}, "the interval beside it is that of these tests, at 90 %, and may leave out 0"),
        (
            {"metric": "val_top1"},
            "scores are of the validation split, which also chooses the checkpoint, so they are optimistic",
        ),
        ({"looks": (4, 6)}, "seeds were added after the results with 4 and 6 had been seen"),
    ],
)
def test_caveats_of_some_studies(changes, words):
    assert words in " ".join(caveats(outcome(WORSE, **changes)))
    assert words not in " ".join(caveats(outcome(WORSE)))


def test_as_many_digits_as_the_interval_deserves():
    (_, told) = said(outcome(comparison("a", "x", -0.00412, t(-0.00482, -0.00342), "worse")))
    assert told == "x costs 0.41 points [0.34, 0.48], 6 seeds"


@pytest.mark.parametrize(
    ("low", "written"), [(0.0004, "[0.04, 2.46]"), (0.0006, "[0.06, 2.46]"), (0.001, "[0.1, 2.5]")]
)
def test_it_can_be_seen_that_zero_is_left_out(low, written):
    (_, told) = said(outcome(comparison("a", "x", -0.0123, t(-0.0246, -low), "worse")))
    assert written in told


def test_missing_runs_are_counted():
    found = outcome(WORSE, missing=("none, seed 5: failed: it diverged",))
    assert said(found)[-1] == "1 of 12 runs has no score; the results are those of the others"


def test_a_baseline_without_a_score_says_why():
    gone = (cell("baseline", None, None, None), cell("none"))
    assert answers(outcome(WORSE, cells=gone))[0] == "baseline: no score; not trained yet"


def test_a_walk_keeps_its_order_and_says_where_it_begins_and_ends():
    steps = (
        comparison("1 lr", "optim.lr from 0.001 to 0.002", 0.01, t(-0.01, 0.03), "not distinguishable"),
        comparison("2 depth", "model.depth from 2 to 4", 0.05, t(0.04, 0.06), "better", against="1 lr"),
    )
    found = outcome(*steps, design="recipe_diff")
    assert [each.cell for each in ordered(found)] == ["1 lr", "2 depth"]
    assert answers(found)[0] == (
        "the base: 96.1 % test top-1 [95.2, 97.0], 6 seeds; the target: 90.0 % test top-1 [89.0, 91.0], 6 seeds"
    )


# --------------------------------------------------------------------------------------------------------- factorials


def test_main_effects_and_interactions():
    effects = (
        effect(("position",), ("none",), ("learned",), -0.2, t(-0.25, -0.15), "worse"),
        effect(("pooling",), ("cls",), ("mean",), 0.01, t(-0.01, 0.03), "not distinguishable"),
        effect(("position", "pooling"), ("none", "cls"), ("learned", "mean"), 0.05, t(0.02, 0.08), "better"),
        effect(("position", "norm"), ("none", "rms"), ("learned", "layer"), 0.0, t(-0.02, 0.02), "not distinguishable"),
    )
    assert said(outcome(design="factorial", effects=effects))[1:] == [
        "on average over the other factors, position none instead of learned costs 20.0 points [15.0, 25.0], "
        "6 seeds of each cell",
        "on average over the other factors, pooling cls instead of mean: not distinguishable, "
        "+1.0 points [−1.0, +3.0], 6 seeds of each cell "
        "(a difference of less than 2.0 points would probably have been missed)",
        "position none together with pooling cls is not the sum of the two alone, +5.0 points [+2.0, +8.0], "
        "6 seeds of each cell",
        "position none together with norm rms: not distinguishable from the sum of the two alone, "
        "0.0 points [−2.0, +2.0], 6 seeds of each cell "
        "(a difference of less than 2.0 points would probably have been missed)",
    ]


def test_an_interaction_that_is_small_is_not_called_no_effect():
    both = effect(("position", "norm"), ("none", "rms"), ("learned", "layer"), 0.0, t(-0.002, 0.002), NONE_WORTH)
    (_, told) = said(outcome(effects=(both,), worth=0.005))
    assert told.startswith(
        "position none together with norm rms: no difference worth having (within ±0.5 points) "
        "from the sum of the two alone,"
    )


def test_effects_tell_lost_runs_and_the_fewest_seeds():
    runs = tuple(RunOutcome(seed, "", "failed", "", {}, diverged=seed < 2) for seed in range(6))
    cells = (cell("baseline"), cell("a", runs=runs, score=description(4, 0.93, t(0.91, 0.95))))
    main = effect(("position",), ("none",), ("learned",), -0.2, t(-0.25, -0.15), "worse")
    (_, told) = said(outcome(effects=(main,), cells=cells))
    assert told.endswith("[15.0, 25.0], at least 4 of 6 seeds of each cell; a: 2 of 6 runs diverged")


def test_an_effect_that_cannot_be_tested_says_why():
    untested = effect(("position",), ("none",), ("learned",), -0.2, None, None)
    assert said(outcome(effects=(untested,)))[1:] == [
        "on average over the other factors, position none instead of learned: no answer; −20.0 points, "
        "6 seeds of each cell; cell: 1 run has no spread"
    ]


def test_a_factorial_s_cells_are_called_by_their_levels_in_pictures():
    cells = (cell("position none, pooling cls", levels={"position": "none", "pooling": "cls"}),)
    assert short_names(outcome(cells=cells, design="factorial")) == {"position none, pooling cls": "none, cls"}
    assert short_names(outcome(cells=cells)) == {"position none, pooling cls": "position none, pooling cls"}


def test_a_main_effect_is_told_in_the_words_of_its_comparison():
    cells = (cell("learned, cls", levels={"position": "learned", "pooling": "cls"}, against=None),)
    cells += (cell("none, cls", levels={"position": "none", "pooling": "cls"}),)
    alone = comparison("none, cls", "removing positions", -0.3, t(-0.35, -0.25), "worse", against="learned, cls")
    main = effect(("position",), ("none",), ("learned",), -0.2, t(-0.25, -0.15), "worse")
    told = said(outcome(alone, cells=cells, effects=(main,)))
    assert told[2].startswith("on average over the other factors, removing positions costs 20.0 points")


def test_interactions_say_that_one_test_decides_them():
    same = (0.0, t(-0.02, 0.02), "not distinguishable")
    both = effect(("position", "norm"), ("none", "rms"), ("learned", "layer"), *same)
    assert "an interaction is decided by the crossed t test alone: its runs cannot be exchanged" in caveats(
        outcome(WORSE, effects=(both,))
    )


def test_where_so_few_runs_decide_nothing_that_is_told_once():
    few = "so few runs decide nothing at p ≤ 0.0026"
    undecided = [comparison(name, name, -0.1, t(-0.2, 0.0), None) for name in "ab"]
    found = outcome(*(replace(each, decision=replace(each.decision, reasons={"verdict": few})) for each in undecided))
    told = answers(found)
    assert told[1] == "a: no answer; −10.0 points [−20.0, 0.0], 6 seeds"
    assert [sentence for sentence in told if few in sentence] == [f"no verdicts: {few}"]
