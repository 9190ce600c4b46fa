from dataclasses import replace

import pytest

from tests.report.outcomes import cell, comparison, outcome, t
from tests.report.test_together import EMPTY
from vitlab.records.outcome import CostRatio, RunOutcome, Tuned
from vitlab.records.run import Environment
from vitlab.report.answers import answers
from vitlab.report.study_notes import notes
from vitlab.report.study_records import StudyRecords

WORSE = comparison("none", "removing it", -0.41, t(-0.439, -0.382), "worse")
EDGE = Tuned("optim.lr", "0.1", "val_top1", {"0.1": 0.5, "0.2": None}, {"0.2": "seed 0: diverged"}, at_an_edge=True)
LONG = replace(EMPTY, history=[{"epoch": 15.0}, {"epoch": 30.0}])


def study(found=None, **run):
    return StudyRecords(
        "parts", found or outcome(WORSE, WORSE), {"baseline": {0: replace(LONG, **run)}}, {}, {}, {}, {}
    )


def test_what_every_study_says():
    basis, verdicts, held, tests = notes(study())
    assert basis == "Intervals: over other seeds and other test images of this kind, from 360 of them."
    assert verdicts == (
        "Verdicts, and the intervals beside them (95 %): corrected over all 2 claims (Holm), at p ≤ 0.05; "
        "a score’s own interval: 95 %."
    )
    assert held == "Held equal over all cells: the number of training steps."
    assert "a permutation test over runs (would runs shared among the cells by lot differ as much?)" in tests
    assert "docs/statistics.md in vitlab’s documentation" in tests


def test_what_was_not_shown_is_explained_where_there_is_such():
    open_ = comparison("a", "a change", 0.002, t(-0.002, 0.006), "not distinguishable")
    assert "“Not distinguishable” does not mean equal." in notes(study(outcome(WORSE, open_)))[-1]


def trained(**known):
    """An outcome whose baseline has one run of which so much is known."""
    runs = (RunOutcome(0, "a", "finished", None, {}, **known),)
    return outcome(cells=(cell("baseline", runs=runs),))


def test_short_runs_are_called_so():
    short = trained(epochs=2.9675)
    assert answers(short)[-1].startswith("the runs are short, 2.97 epochs")  # in the terminal, too
    assert notes(study(short))[2] == (
        "The runs are short, 2.97 epochs: longer training may rank the cells differently."
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (study(trained(epochs=30.0, peeked=True)), "The test split was evaluated during training"),
        (study(outcome(WORSE, metric="val_top1")), "also chooses the checkpoint, so they are optimistic"),
        (study(outcome(WORSE, equal="flops")), "the training FLOPs, so a cheaper model sees more images"),
        (study(outcome(WORSE, equal="nothing")), "Nothing is held equal over the cells"),
        (study(environment=Environment(commit="0123-dirty")), "cannot be repeated exactly"),
        (
            study(
                outcome(cells=(cell("baseline", tuned=Tuned("optim.lr", "0.1", "val_top1", {"0.1": 0.5, "0.2": 0.4})),))
            ),
            "Every cell has its own optim.lr, the best of 0.1, 0.2 by validation top-1; the test split was not used",
        ),
        (study(outcome(cells=(cell("a", tuned=EDGE),))), "The best value is the first or last of the grid in a"),
        (study(outcome(cells=(cell("a", tuned=EDGE),))), "Values of the grid whose runs failed, and which could not"),
        (
            study(outcome(cells=(cell("a", ratios={"seconds_per_step": CostRatio(1.2, 1.1, 1.3, 2.5)}),))),
            "The speed of the training disagrees with these timings: a (1.20 × in turn, 2.50 × in training).",
        ),
        (study(outcome(WORSE, busy=0.6)), "busy for only 60 % of one measurement): they are shown, and not ranked"),
        (study(outcome(WORSE, paired=True)), "the sign-flip test over seeds (paired, as planned: would"),
        (study(outcome(WORSE, verdicts=False)), "No verdicts: the plan asks for none"),
    ],
)
def test_what_some_studies_say(found, words):
    assert words in " ".join(notes(found))
    assert words not in " ".join(notes(study()))
