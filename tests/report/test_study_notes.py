from dataclasses import replace

import pytest

from tests.report.outcomes import cell, comparison, outcome, t
from tests.report.test_together import EMPTY
from vitlab.records.outcome import Tuned
from vitlab.records.run import Environment
from vitlab.report.study_notes import notes
from vitlab.report.study_records import StudyRecords

WORSE = comparison("none", "removing it", -0.41, t(-0.439, -0.382), "worse")
LONG = replace(EMPTY, history=[{"epoch": 15.0}, {"epoch": 30.0}])


def study(found=None, **run):
    return StudyRecords("parts", found or outcome(WORSE, WORSE), {"baseline": {0: replace(LONG, **run)}}, {}, {})


def test_what_every_study_says():
    assert notes(study()) == [
        "Held equal over all cells: the number of training steps. Each is trained with the same seeds, so they are "
        "paired.",
        "Verdicts are by the paired t test with Holm’s correction over the 2 comparisons, at p ≤ 0.05; "
        "intervals are 95 % and not corrected.",
        "“May have been missed” gives the smallest difference in points that these seeds detect with 80 % power. "
        "“Not distinguishable” does not mean equal.",
        "The sign-flip p is shown for comparison and does not decide the verdict: its p cannot be below .031 with 6 "
        "seeds, and with fewer than 9 seeds it is too coarse to survive a correction.",
        "Intervals are over seeds, on the same 360 test images; how much the choice of images matters is the test-set "
        "error in the tables.",
    ]


def test_short_runs_are_called_so():
    short = study(history=[{"epoch": 2.9675}])
    assert notes(short)[0] == (
        "The runs are short, 2.97 epochs: they show early learning, and longer training may rank the cells differently."
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (study(history=[{"epoch": 30.0, "test_top1": 0.5}]), "The test split was evaluated during training"),
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
    ],
)
def test_what_some_studies_say(found, words):
    assert words in " ".join(notes(found))
    assert words not in " ".join(notes(study()))


def test_from_nine_seeds_on_a_sign_flip_could_be_corrected():
    nine = " ".join(notes(study(outcome(WORSE, seeds=tuple(range(9))))))
    assert "its p cannot be below .004 with 9 seeds." in nine
    assert "survive a correction" not in nine
    assert "of the one comparison, at p" in nine
