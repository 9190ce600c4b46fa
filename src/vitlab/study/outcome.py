"""What a study's records say, with statistics. From plan.json and the runs' records alone; no torch.

    outcome(folder)      everything that study.json and the report show

What is missing stays missing: a cell's score is over the seeds that finished, a comparison over the seeds that both
cells have, and `missing` names every run that is not there with its reason.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vitlab.base import records
from vitlab.base.errors import DataError, UserError
from vitlab.stats.decision import Comparison, decide
from vitlab.stats.describe import Description, describe
from vitlab.stats.factorial import Factorial, factorial
from vitlab.stats.given import Better
from vitlab.stats.paired import paired
from vitlab.stats.pareto import pareto_front
from vitlab.stats.power import Sensitivity, sensitivity
from vitlab.stats.sampling import AccuracyErrors, accuracy_errors
from vitlab.study.folder import StudyFolder, chosen, tuning_scores
from vitlab.study.images import images_of_split, sampling_errors

# What a score is weighed against
COSTS = ("num_params", "flops", "seconds_per_image", "seconds_per_step", "activation_bytes")


@dataclass(frozen=True)
class RunOutcome:
    """One training of a cell."""

    seed: int
    folder: str  # in the study's
    status: str | None  # "finished", "failed", "interrupted"; None: not begun, or in training
    reason: str | None
    metrics: dict[str, Any]


@dataclass(frozen=True)
class Tuned:
    """What a grid gave on the validation split: the mean of the tuning seeds by value, None while one is missing."""

    setting: str
    value: str | None  # the best
    val_top1: dict[str, float | None]


@dataclass(frozen=True)
class CellOutcome:
    """A cell: what it is, what it costs, and how its seeds scored."""

    name: str
    says: str
    levels: dict[str, str]
    settings: dict[str, Any]
    against: str | None
    spec: dict[str, Any]  # of its runs, but for the seed; of the tuned value where there is one
    costs: dict[str, float | None]  # by the names in COSTS
    tuned: Tuned | None
    runs: tuple[RunOutcome, ...]
    images: int | None  # in the split that the metric is of; None before the first run
    score: Description
    errors: AccuracyErrors | None  # of an accuracy: the seeds' error beside the test set's


@dataclass(frozen=True)
class ComparisonOutcome:
    """A cell against the one it is compared with."""

    cell: str
    against: str
    says: str
    comparison: Comparison
    sensitivity: Sensitivity
    test_set_error: float | None  # of the difference, image by image; None where predictions are missing


@dataclass(frozen=True)
class Outcome:
    """A study's answers."""

    id: str
    question: str
    design: str
    metric: str
    better: Better
    equal: str
    seeds: tuple[int, ...]
    images: int | None  # in the split that the metric is of; None if cells differ in it, or before the first run
    cells: tuple[CellOutcome, ...]
    comparisons: tuple[ComparisonOutcome, ...]
    effects: Factorial | None
    no_effects: str | None  # why a factorial has none
    fronts: dict[str, tuple[str, ...]]  # by cost: the cells that no other beats on score and cost together
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every run has finished."""
        return not self.missing

    def cell(self, name: str) -> CellOutcome:
        """A cell by its name."""
        return next(cell for cell in self.cells if cell.name == name)


def outcome(path: Path) -> Outcome:
    """Read the study in `path` as far as it has come. Raises DataError if a record is damaged."""
    folder = StudyFolder(path)
    plan, how = folder.plan(), folder.how()
    better: Better = "lower" if plan["metric"].endswith("loss") else "higher"
    try:
        cells = tuple(_cell(folder, plan, cell, how) for cell in plan["cells"])
    except KeyError as error:
        raise DataError(f"{path / 'plan.json'} is damaged: {error} is missing") from None
    scores = {cell.name: scores_of(cell, plan["metric"]) for cell in cells}
    effects, no_effects = _effects(plan, cells, scores)
    return Outcome(
        id=plan["id"],
        question=plan["question"],
        design=plan["design"],
        metric=plan["metric"],
        better=better,
        equal=plan["equal"],
        seeds=tuple(plan["seeds"]),
        images=_shared_images(cells),
        cells=cells,
        comparisons=_comparisons(folder, cells, scores, plan["metric"], better),
        effects=effects,
        no_effects=no_effects,
        fronts=_fronts(cells, better),
        missing=tuple(_missing(cells)),
    )


def write_outcome(path: Path) -> Outcome:
    """Write `study.json`; what it says."""
    found = outcome(path)
    records.write_json(path / "study.json", asdict(found))
    return found


def scores_of(cell: CellOutcome, metric: str) -> dict[int, float]:
    """A cell's metric by seed, of the runs that have finished."""
    return _scores(cell.runs, metric)


def _scores(runs: Iterable[RunOutcome], metric: str) -> dict[int, float]:
    found = {run.seed: run.metrics.get(metric) for run in runs if run.status == "finished"}
    return {seed: value for seed, value in found.items() if value is not None}


# -------------------------------------------------------------------------------------------------------------- cells


def _cell(folder: StudyFolder, plan: Mapping[str, Any], cell: dict[str, Any], how: Mapping[str, Any]) -> CellOutcome:
    candidate, metric = chosen(folder, plan, cell), plan["metric"]
    images = images_of_split(folder, plan, cell)
    runs = tuple(_run(folder, plan, cell, candidate, seed) for seed in plan["seeds"])
    values = list(_scores(runs, metric).values())
    fraction = images is not None and values and metric.endswith(("top1", "top5"))
    return CellOutcome(
        name=cell["name"],
        says=cell["says"],
        levels=cell["levels"],
        settings=cell["settings"],
        against=cell["against"],
        spec=(candidate or cell["candidates"][0])["spec"],
        costs=_costs(cell, how.get(cell["folder"], {})),
        tuned=_tuned(folder, plan, cell, candidate),
        runs=runs,
        images=images,
        score=describe(values, cell["name"]),
        errors=accuracy_errors(values, images, cell["name"]) if fraction else None,  # type: ignore[arg-type]
    )


def _costs(cell: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, float | None]:
    """What a cell's model has and takes: counted, and measured of a run that has this machine to itself."""
    measured = {"seconds_per_image": how.get("image"), "seconds_per_step": how.get("alone")}
    return {name: measured.get(name, cell.get(name)) for name in COSTS}


def _shared_images(cells: tuple[CellOutcome, ...]) -> int | None:
    """How many images all cells are tested on, as far as they have begun."""
    known = {cell.images for cell in cells} - {None}
    return known.pop() if len(known) == 1 else None


def _run(
    folder: StudyFolder, plan: Mapping[str, Any], cell: dict[str, Any], candidate: dict[str, Any] | None, seed: int
) -> RunOutcome:
    if candidate is None:
        return RunOutcome(seed, "", None, _why_untuned(folder, plan, cell), {})
    path = folder.run(cell, candidate, seed)
    status, reason = folder.status(path)
    return RunOutcome(seed, path.relative_to(folder.path).as_posix(), status, reason, folder.metrics(path))


def _why_untuned(folder: StudyFolder, plan: Mapping[str, Any], cell: dict[str, Any]) -> str:
    """Why no value of the grid has all its tuning runs."""
    runs = [
        (f"{plan['tune']} {each['name']}, seed {seed}", folder.status(folder.run(cell, each, seed)))
        for each in cell["candidates"]
        for seed in plan["seeds"][: plan["tune_seeds"]]
    ]
    failed = [f"{name}: {reason}" for name, (status, reason) in runs if status == "failed"]
    return "; ".join(["the tuning of this cell has not finished", *failed])


def _tuned(
    folder: StudyFolder, plan: Mapping[str, Any], cell: dict[str, Any], candidate: dict[str, Any] | None
) -> Tuned | None:
    if plan["tune"] is None:
        return None
    means = {
        each["name"]: None if None in scores else sum(scores) / len(scores)  # type: ignore[arg-type]
        for each, scores in tuning_scores(folder, plan, cell)
    }
    return Tuned(plan["tune"], candidate["name"] if candidate else None, means)


def _missing(cells: tuple[CellOutcome, ...]) -> list[str]:
    """A sentence for every run that did not finish."""
    return [
        f"{cell.name}, seed {run.seed}: {run.status or 'not trained yet'}" + (f": {run.reason}" if run.reason else "")
        for cell in cells
        for run in cell.runs
        if run.status != "finished"
    ]


# -------------------------------------------------------------------------------------------------------- comparisons


def _comparisons(
    folder: StudyFolder,
    cells: tuple[CellOutcome, ...],
    scores: Mapping[str, dict[int, float]],
    metric: str,
    better: Better,
) -> tuple[ComparisonOutcome, ...]:
    compared = [cell for cell in cells if cell.against is not None]
    differences = {cell.name: paired(scores[cell.against], scores[cell.name], cell.name) for cell in compared}  # type: ignore[index]
    decisions = decide(differences, better=better)
    errors = sampling_errors(folder.path, cells) if metric == "test_top1" else {}
    return tuple(
        ComparisonOutcome(
            cell=cell.name,
            against=str(cell.against),
            says=cell.says,
            comparison=decisions[cell.name],
            sensitivity=sensitivity(differences[cell.name], comparisons=len(compared)),
            test_set_error=errors.get(cell.name),
        )
        for cell in compared
    )


def _effects(
    plan: Mapping[str, Any], cells: tuple[CellOutcome, ...], scores: Mapping[str, dict[int, float]]
) -> tuple[Factorial | None, str | None]:
    """The effects of a full factorial; or None and why."""
    crossed = plan["crossed"]
    if not crossed:
        return None, None
    by_levels = {tuple(cell.levels[name] for name in crossed): scores[cell.name] for cell in cells}
    try:
        return factorial(crossed, by_levels), None  # type: ignore[arg-type]
    except UserError as error:
        return None, str(error)


def _fronts(cells: tuple[CellOutcome, ...], better: Better) -> dict[str, tuple[str, ...]]:
    """For every cost that all cells with a score have: who is on the front."""
    scored = [cell for cell in cells if cell.score.mean is not None]
    known = [cost for cost in COSTS if scored and all(cell.costs[cost] is not None for cell in scored)]
    return {
        cost: pareto_front({cell.name: (cell.score.mean, cell.costs[cost]) for cell in scored}, better=better)  # type: ignore[misc]
        for cost in known
    }
