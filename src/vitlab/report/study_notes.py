"""Notes that a reader must know before believing a study's page: how its numbers came about, what they cannot say."""

from vitlab.records.outcome import Outcome
from vitlab.report import wording
from vitlab.report.run import SPLITS
from vitlab.report.study_records import StudyRecords
from vitlab.report.study_tables import p_value
from vitlab.report.units import unit_of, unit_of_study
from vitlab.stats.decision import ALPHA
from vitlab.stats.power import POWER

SHORT = 30  # epochs, below which a run shows early learning
_DECIDING = 9  # seeds from which on a sign-flip p could survive correction
_EQUAL = {
    "steps": "the number of training steps",
    "images": "the number of images seen",
    "flops": "the training FLOPs, so a cheaper model sees more images",
    "nothing": "",
}


def notes(study: StudyRecords) -> list[str]:
    """Sentences, the ones that weigh most first."""
    outcome = study.outcome
    trained = [*_short(study), *_peeks(study), *_split(outcome), _equal(outcome), *_tuned(outcome)]
    return [*trained, *_decisions(outcome), *_images(outcome), *_dirty(study)]


def _short(study: StudyRecords) -> list[str]:
    epochs = [line.get("epoch") for run in study.begun for line in run.history[-1:]]
    longest = max((epoch for epoch in epochs if wording.is_number(epoch)), default=None)
    if longest is None or longest >= SHORT:
        return []
    return [
        f"The runs are short, {longest:.3g} epochs: they show early learning, and longer training may rank the cells "
        "differently."
    ]


def _peeks(study: StudyRecords) -> list[str]:
    if not any(run.peeks for run in study.begun):
        return []
    return ["The test split was evaluated during training (“peeks”): do not choose anything by its curves."]


def _split(outcome: Outcome) -> list[str]:
    split = outcome.metric.partition("_")[0]
    if split == "test":
        return []
    return [f"Scores are of the {SPLITS[split]} split, which also chooses the checkpoint, so they are optimistic."]


def _equal(outcome: Outcome) -> str:
    if outcome.equal == "nothing":
        return "Nothing is held equal over the cells: each sets its own training length."
    held = _EQUAL[outcome.equal]
    return f"Held equal over all cells: {held}. Each is trained with the same seeds, so they are paired."


def _tuned(outcome: Outcome) -> list[str]:
    tuned = [cell.tuned for cell in outcome.cells if cell.tuned]
    if not tuned:
        return []
    values, metric = ", ".join(tuned[0].scores), outcome.metrics.get(tuned[0].metric)
    by = f"by {unit_of(metric, 'val').title}" if metric else "on validation"
    return [f"Every cell has its own {tuned[0].setting}, the best of {values} {by}; the test split was not used."]


def _decisions(outcome: Outcome) -> list[str]:
    if not outcome.comparisons:
        return []
    unit, number, n = unit_of_study(outcome), len(outcome.comparisons), len(outcome.seeds)
    over = f"with Holm’s correction over the {number} comparisons" if number > 1 else "of the one comparison"
    flips = (
        f"its p cannot be below {p_value(2.0 ** (1 - n))} with {n} seeds" if n > 1 else "it needs more than one seed"
    )
    corrected = (
        f", and with fewer than {_DECIDING} seeds it is too coarse to survive a correction" if n < _DECIDING else ""
    )
    return [
        f"Verdicts are by the paired t test {over}, at p ≤ {ALPHA:g}; intervals are 95 % and not corrected.",
        f"“May have been missed” gives the smallest difference in {unit.unit} that these seeds detect with "
        f"{100 * POWER:.0f} % power. “Not distinguishable” does not mean equal.",
        f"The sign-flip p is shown for comparison and does not decide the verdict: {flips}{corrected}.",
    ]


def _images(outcome: Outcome) -> list[str]:
    if outcome.images is None:
        return []
    split = SPLITS[outcome.metric.partition("_")[0]]
    return [
        f"Intervals are over seeds, on the same {wording.count(outcome.images)} {split} images; how much the choice of "
        "images matters is the test-set error in the tables."
    ]


def _dirty(study: StudyRecords) -> list[str]:
    if not any(run.from_no_commit for run in study.begun):
        return []
    return ["The code had uncommitted changes, so these runs cannot be repeated exactly."]
