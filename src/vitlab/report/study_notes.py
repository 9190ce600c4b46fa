"""Notes that a reader must know before believing a study's page: how its numbers came about, what they cannot say."""

from vitlab.records.outcome import Outcome
from vitlab.report.caveats import caveats
from vitlab.report.study_records import StudyRecords


def notes(study: StudyRecords) -> list[str]:
    """Sentences, the ones that weigh most first."""
    outcome = study.outcome
    basis = [f"{said[0].upper()}{said[1:]}." for said in caveats(outcome)]
    return [*basis, *_decisions(outcome), *_timed(outcome), *_dirty(study)]


def _decisions(outcome: Outcome) -> list[str]:
    if not outcome.decisions or not outcome.verdicts:
        return []
    over_runs = (
        "the sign-flip test over seeds (paired, as planned: would differences with signs drawn by lot be as large?)"
        if outcome.paired
        else "a permutation test over runs (would runs shared among the cells by lot differ as much?)"
    )
    return [
        f"A verdict needs two tests: {over_runs} and the crossed t test over seeds and images (would other seeds and "
        "other images show it, too?). How often that errs was simulated: docs/statistics.md in vitlab’s "
        "documentation. Verdicts speak of means: where the runs of one cell have a "
        "different distribution from those of the other (a few collapse, say), no test can guarantee its error with so "
        "few seeds, and a verdict is one on the runs seen.",
        *_open(outcome),
    ]


def _open(outcome: Outcome) -> list[str]:
    if all(each.verdict != "not distinguishable" for each in outcome.decisions):
        return []
    return [
        "“Would probably have been missed”: with these seeds and images a smaller difference is more often missed "
        "than shown. “Not distinguishable” does not mean equal."
    ]


def _timed(outcome: Outcome) -> list[str]:
    if outcome.was_loaded:
        return [
            "The machine had other work while the cells’ costs in time were measured (their process was busy for only "
            f"{100 * (outcome.busy or 0.0):.0f} % of one measurement): they are shown, and not ranked."
        ]
    doubtful = [
        f"{cell.name} ({ratio.value:.2f} × in turn, {ratio.trained:.2f} × in training)"
        for cell in outcome.cells
        for ratio in cell.ratios.values()
        if ratio.is_doubtful
    ]
    return [f"The speed of the training disagrees with these timings: {'; '.join(doubtful)}."] if doubtful else []


def _dirty(study: StudyRecords) -> list[str]:
    if not any(run.from_no_commit for run in study.begun):
        return []
    return ["The code had uncommitted changes, so these runs cannot be repeated exactly."]
