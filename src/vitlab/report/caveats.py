"""What the sentences of a study stand on: what their intervals are over, how verdicts were corrected, and what else.

They belong to the sentences wherever these stand, in a terminal as on a page.
"""

from vitlab.records.outcome import Outcome
from vitlab.report.run import SPLITS
from vitlab.report.units import MINUS, unit_of, unit_of_study
from vitlab.stats.decision import ALPHA
from vitlab.stats.intervals import LEVEL

SHORT = 30  # epochs, below which a run is called short


def caveats(outcome: Outcome) -> list[str]:
    """What the intervals and verdicts of the sentences stand on."""
    if all(cell.score.n == 0 for cell in outcome.cells):
        return []
    trained = [
        *_split(outcome),
        *_peeked(outcome),
        *_tuned(outcome),
        *_edges(outcome),
        _equal(outcome),
        *_short(outcome),
    ]
    return [_over(outcome), *_corrected(outcome), *_paired(outcome), *_looked(outcome), *trained]


def _equal(outcome: Outcome) -> str:
    if outcome.equal == "nothing":
        return "nothing is held equal over the cells: each sets its own training length"
    return f"held equal over all cells: {_HELD[outcome.equal]}"


_HELD = {
    "steps": "the number of training steps",
    "images": "the number of images seen",
    "flops": "the training FLOPs, so a cheaper model sees more images",
}


def _short(outcome: Outcome) -> list[str]:
    if outcome.epochs is None or outcome.epochs[0] >= SHORT:
        return []
    passes = " to ".join(dict.fromkeys(f"{epochs:.3g}" for epochs in outcome.epochs))
    return [f"the runs are short, {passes} epochs: longer training may rank the cells differently"]


def _peeked(outcome: Outcome) -> list[str]:
    if not any(run.peeked for cell in outcome.cells for run in cell.runs):
        return []
    return ["the test split was evaluated during training (it “peeks”): do not choose anything by its curves"]


def _paired(outcome: Outcome) -> list[str]:
    related = [each.correlation for each in outcome.comparisons if each.correlation is not None]
    if not outcome.paired or not related:
        return []
    low, high = min(related), max(related)
    seen = f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"
    known = outcome.paired_for
    why = "with no correlation that earned it" if known is None else f"for a correlation of {known:.2f} seen before"
    told = f"paired seed by seed, as planned, {why}; the correlation of the cells over seeds is {seen}"
    return [told.replace("-", MINUS)]


def _over(outcome: Outcome) -> str:
    if all(cell.score.n < 2 for cell in outcome.cells):
        return "no intervals: one seed of a cell does not show how another would do"
    images = f"{SPLITS[outcome.metric.partition('_')[0]]} images"
    if not outcome.no_pictures and outcome.images:
        return f"intervals: over other seeds and other {images} of this kind, from {outcome.images:,} of them"
    why = outcome.no_pictures or "their number is not known"
    return f"intervals: over other seeds alone, for these {images} only: {why}"


def _corrected(outcome: Outcome) -> list[str]:
    if not outcome.decisions:
        return []
    if not outcome.verdicts:
        return ["no verdicts: the plan asks for none; a difference seen here may be chance"]
    if never := never_decided(outcome):
        return [f"no verdicts: {never}"]
    claims = len(outcome.decisions)
    equal = [] if outcome.worth is None else [_equivalence(outcome)]
    single = any(len(each.factors) > 1 for each in outcome.effects)
    alone = ["an interaction is decided by the crossed t test alone: its runs cannot be exchanged"] if single else []
    if claims == 1:
        return [f"the verdict, and the interval beside it{_levels(outcome)}: at p ≤ {ALPHA:g}", *equal, *alone]
    said = f"verdicts, and the intervals beside them{_levels(outcome)}: corrected over all {claims} claims (Holm)"
    return [f"{said}, at p ≤ {ALPHA:g}; a score’s own interval: {100 * LEVEL:.3g} %", *equal, *alone]


def _levels(outcome: Outcome) -> str:
    """' (97.5 to 99.4 %)'; those of another kind of verdict are told with it."""
    other = "no difference worth having"
    found = [each.quoted.level for each in outcome.decisions if each.quoted and each.verdict != other]
    levels = [f"{100 * level:.3g}" for level in (min(found), max(found))] if found else []
    return f" ({' to '.join(dict.fromkeys(levels))} %)" if levels else ""


def _equivalence(outcome: Outcome) -> str:
    unit = unit_of_study(outcome)
    within = f"within ±{unit.chosen(outcome.worth or 0.0)} {unit.unit}"
    level = 100 * (1 - 2 * ALPHA / len(outcome.decisions))
    return (
        f"“no difference worth having”: {within}, by two one-sided tests with an error of their own, {ALPHA:g} for all "
        f"together; the interval beside it is that of these tests, at {level:.3g} %, and may leave out 0"
    )


def _looked(outcome: Outcome) -> list[str]:
    if not outcome.looks:
        return []
    seen = " and ".join(map(str, outcome.looks))
    return [
        f"seeds were added after the results with {seen} had been seen: the chance of a false verdict may be larger "
        f"than {ALPHA:g}"
    ]


def _split(outcome: Outcome) -> list[str]:
    split = outcome.metric.partition("_")[0]
    if split == "test":
        return []
    return [f"scores are of the {SPLITS[split]} split, which also chooses the checkpoint, so they are optimistic"]


def _tuned(outcome: Outcome) -> list[str]:
    tuned = [cell.tuned for cell in outcome.cells if cell.tuned]
    if not tuned:
        return []
    values, metric = ", ".join(tuned[0].scores), outcome.metrics.get(tuned[0].metric)
    by = f"by {unit_of(metric, 'val').title}" if metric else "on validation"
    return [f"every cell has its own {tuned[0].setting}, the best of {values} {by}; the test split was not used"]


def _edges(outcome: Outcome) -> list[str]:
    tuned = {cell.name: cell.tuned for cell in outcome.cells if cell.tuned}
    edges = [name for name, each in tuned.items() if each.at_an_edge]
    failed = [f"{name} {value}" for name, each in tuned.items() for value in each.failed]
    notes = []
    if edges:
        notes.append(
            f"the best value is the first or last of the grid in {'; '.join(edges)}: a better one may lie beyond"
        )
    if failed:
        notes.append(f"values of the grid whose runs failed, and which could not be chosen: {'; '.join(failed)}")
    return notes


def never_decided(outcome: Outcome) -> str:
    """The one reason for which no claim of a study has a verdict, which is told once; empty if there is none."""
    reasons = {each.reasons.get("verdict", "") for each in outcome.decisions}
    several = len(outcome.decisions) > 1 and all(each.verdict is None for each in outcome.decisions)
    return reasons.pop() if several and len(reasons) == 1 else ""
