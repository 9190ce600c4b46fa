"""The sentences, word for word."""

from tests.report.outcomes import cell, comparison, outcome, t
from vitlab.report.answers import answers, ordered, short_names
from vitlab.stats.factorial import Contrast, Effect, Factorial

WORSE = comparison("none", "removing the position embedding", -0.41, t(-0.439, -0.382), "worse")
BETTER = comparison("rope2d", "rope2d instead of learned positions", 0.021, t(0.012, 0.030), "better")
SAME = comparison("mean", "mean pooling instead of cls", 0.003, t(-0.008, 0.014), "not distinguishable")
NOTHING = comparison("gone", "removing the head", None, None, None, seeds=())


def test_the_largest_effects_come_first_and_what_is_unknown_last():
    assert answers(outcome(NOTHING, SAME, BETTER, WORSE)) == [
        "baseline reaches 96.1 % test top-1 [95.2, 97.0], 6 seeds",
        "removing the position embedding costs 41.0 points [38.2, 43.9], 6 seeds",
        "rope2d instead of learned positions gains 2.1 points [1.2, 3.0], 6 seeds",
        "mean pooling instead of cls: not distinguishable, +0.3 points [−0.8, +1.4], 6 seeds "
        "(a difference under 2.1 points may have been missed)",
        "removing the head: no answer; no seed has finished in both cells",
    ]


def test_of_a_loss_more_is_worse_and_the_unit_is_nats():
    worse = comparison("none", "removing positions", 0.41, t(0.382, 0.439), "worse")
    better = comparison("rope2d", "rope2d", -0.0213, t(-0.0302, -0.0124), "better")
    said = answers(outcome(worse, better, metric="val_loss", better="lower"))
    assert said[1:] == [
        "removing positions costs 0.410 nats [0.382, 0.439], 6 seeds",
        "rope2d gains 0.021 nats [0.012, 0.030], 6 seeds",
    ]


def test_an_interval_without_zero_that_correction_does_not_let_pass():
    found = comparison("a", "a change", 0.02, t(0.001, 0.039), "not distinguishable")
    (_, _, said) = answers(outcome(WORSE, found))
    assert said == (
        "a change: not distinguishable after correction over 2 comparisons, +2.0 points [+0.1, +3.9], 6 seeds "
        "(a difference under 2.1 points may have been missed)"
    )


def test_one_seed_in_common_says_why_there_is_no_answer():
    (_, said) = answers(outcome(comparison("a", "x", -0.02, None, None, None, (3,))))
    assert said == "x: no answer; −2.0 points with 1 of 6 seeds; a test needs at least two seeds"


def test_differences_without_spread_say_why_there_is_no_answer():
    (_, said) = answers(outcome(comparison("a", "x", 0.02, None, None, None, (3, 4))))
    assert said == "x: no answer; +2.0 points at each of 2 of 6 seeds; identical differences cannot be tested"


def test_differences_that_are_all_zero_are_no_difference():
    (_, said) = answers(outcome(comparison("a", "a copy", 0.0, None, "not distinguishable", None)))
    assert said == "a copy: not distinguishable, 0.0 points, 6 seeds (no spread)"


def test_fewer_seeds_than_planned_are_told():
    (_, said) = answers(outcome(comparison("a", "x", -0.41, t(-0.439, -0.382), "worse", seeds=(0, 1, 2, 4))))
    assert said == "x costs 41.0 points [38.2, 43.9], 4 of 6 seeds"


def test_as_many_digits_as_the_interval_deserves():
    (_, said) = answers(outcome(comparison("a", "x", -0.00412, t(-0.00482, -0.00342), "worse")))
    assert said == "x costs 0.41 points [0.34, 0.48], 6 seeds"


def test_missing_runs_are_counted():
    said = answers(outcome(WORSE, missing=("none, seed 5: failed: it diverged",)))
    assert said[-1] == "1 of 12 runs is missing; the results are from the runs that finished"


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


def contrast(levels, references, mean, low, high):
    return Contrast(levels, references, mean, 0.01, t(low, high), 5.0, 0.01, 0.024)


def effect(factors, contrasts, p_holm, reasons=None):
    return Effect(factors, tuple(contrasts), 9.0, len(contrasts), 5, 1.0, 0.01, p_holm, reasons or {})


def test_main_effects_and_interactions():
    none, cls = contrast(("none",), ("learned",), -0.2, -0.25, -0.15), contrast(("cls",), ("mean",), 0.01, -0.01, 0.03)
    both = contrast(("none", "cls"), ("learned", "mean"), 0.05, 0.02, 0.08)
    effects = (
        effect(("position",), [none], 0.001),
        effect(("pooling",), [cls], 0.4),
        effect(("position", "pooling"), [both], 0.02),
    )
    said = answers(outcome(design="factorial", effects=Factorial((0, 1, 2, 3, 4), (5,), effects)))
    assert said[1:] == [
        "on average over the other factors, position none instead of learned costs 20.0 points [15.0, 25.0], "
        "5 of 6 seeds",
        "on average over the other factors, pooling cls instead of mean: not distinguishable, "
        "+1.0 points [−1.0, +3.0], 5 of 6 seeds (a difference under 2.4 points may have been missed)",
        "position none together with pooling cls is not the sum of the two alone, +5.0 points [+2.0, +8.0], "
        "5 of 6 seeds",
    ]


def test_an_effect_over_several_levels_is_told_level_by_level():
    levels = [
        contrast(("none",), ("learned",), -0.3, -0.32, -0.28),
        contrast(("rope2d",), ("learned",), 0.01, -0.01, 0.03),
    ]
    effects = Factorial((0, 1, 2, 3, 4, 5), (), (effect(("position",), levels, 0.001),))
    assert answers(outcome(design="factorial", effects=effects))[1:] == [
        "on average over the other factors, position none instead of learned: an effect over 3 levels, "
        "−30.0 points [−32.0, −28.0], 6 seeds",
        "on average over the other factors, position rope2d instead of learned: an effect over 3 levels, "
        "+1.0 points [−1.0, +3.0], 6 seeds",
    ]


def test_effects_that_cannot_be_computed_say_why():
    assert answers(outcome(no_effects="no seed has a score in every cell"))[1:] == [
        "main effects and interactions: no answer; no seed has a score in every cell"
    ]
    untested = effect(
        ("position",), [contrast(("none",), ("learned",), -0.2, -0.25, -0.15)], None, {"p_holm": "1 seed"}
    )
    assert answers(outcome(effects=Factorial((0,), (), (untested,))))[1:] == [
        "on average over the other factors, position none instead of learned: no answer; 1 seed"
    ]


def test_a_factorial_s_cells_are_called_by_their_levels_in_pictures():
    cells = (cell("position none, pooling cls", levels={"position": "none", "pooling": "cls"}),)
    assert short_names(outcome(cells=cells, design="factorial")) == {"position none, pooling cls": "none, cls"}
    assert short_names(outcome(cells=cells)) == {"position none, pooling cls": "position none, pooling cls"}
