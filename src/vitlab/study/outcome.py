"""The outcome of a study: what its records say, with statistics. From plan.json and the runs' records alone; no torch.

    outcome(folder)      everything that study.json and the report show

What is missing stays missing: a cell's score is over the seeds that finished, a comparison over the seeds that both
cells have, and `missing` names every run that is not there with its reason.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitlab.base.errors import UserError
from vitlab.base.metric import Better
from vitlab.records.execution import CellExecution
from vitlab.records.outcome import COSTS, CellOutcome, ComparisonOutcome, Outcome, RunOutcome, Tuned
from vitlab.records.plan import CandidateRecord, CellRecord, PlanRecord
from vitlab.stats.decision import decide
from vitlab.stats.describe import describe
from vitlab.stats.factorial import Factorial, factorial
from vitlab.stats.paired import paired
from vitlab.stats.pareto import pareto_front
from vitlab.stats.power import sensitivity
from vitlab.stats.sampling import accuracy_errors
from vitlab.study.sampling import images_of_split, sampling_errors
from vitlab.study.study_dir import StudyDir


def outcome(path: Path) -> Outcome:
    """Read the study in `path` as far as it has come. Raises DataError if a record is damaged."""
    study_dir = StudyDir(path)
    plan = study_dir.plan()
    better = plan.measured.better
    executions = study_dir.execution_record().comparable([cell.folder for cell in plan.cells])
    cells = tuple(_cell(study_dir, plan, cell, executions.get(cell.folder)) for cell in plan.cells)
    scores = {cell.name: cell.scores(plan.metric) for cell in cells}
    effects, no_effects = _effects(plan, cells, scores)
    return Outcome(
        id=plan.id,
        question=plan.question,
        design=plan.design,
        metric=plan.metric,
        better=better,
        equal=plan.equal,
        seeds=plan.seeds,
        images=_shared_images(cells),
        cells=cells,
        comparisons=_comparisons(path, plan, cells, scores, better),
        effects=effects,
        no_effects=no_effects,
        fronts=_fronts(cells, better),
        missing=tuple(_missing(cells, plan.metric)),
        metrics=plan.metrics,
    )


# -------------------------------------------------------------------------------------------------------------- cells


def _cell(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord, execution: CellExecution | None) -> CellOutcome:
    candidate = study_dir.chosen(plan, cell)
    images = images_of_split(study_dir, plan, cell)
    runs = tuple(_run(study_dir, plan, cell, candidate, seed) for seed in plan.seeds)
    scores = [run.metrics.get(plan.metric) for run in runs if run.status == "finished"]
    values = [score for score in scores if score is not None]
    share = plan.measured.is_share_of_images
    return CellOutcome(
        name=cell.name,
        says=cell.says,
        levels=cell.levels,
        settings=cell.settings,
        against=cell.against,
        spec=(candidate or cell.candidates[0]).spec,
        costs=_costs(cell, execution),
        tuned=_tuned(study_dir, plan, cell, candidate),
        runs=runs,
        images=images,
        score=describe(values, cell.name),
        errors=accuracy_errors(values, images, cell.name) if images is not None and values and share else None,
    )


def _costs(cell: CellRecord, execution: CellExecution | None) -> dict[str, float | None]:
    """What a cell's model has and takes: counted, and measured of a run that has its host to itself."""
    measured = {
        "seconds_per_image": execution.image if execution else None,
        "seconds_per_step": execution.alone if execution else None,
    }
    return {name: measured[name] if name in measured else getattr(cell, name) for name in COSTS}


def _shared_images(cells: tuple[CellOutcome, ...]) -> int | None:
    """How many images all cells are tested on, as far as they have begun."""
    known = {cell.images for cell in cells} - {None}
    return known.pop() if len(known) == 1 else None


def _run(
    study_dir: StudyDir, plan: PlanRecord, cell: CellRecord, candidate: CandidateRecord | None, seed: int
) -> RunOutcome:
    if candidate is None:
        return RunOutcome(seed, "", None, _why_untuned(study_dir, plan, cell), {})
    run = study_dir.run(cell, candidate, seed)
    status, reason, metrics, begun = study_dir.state(run)
    folder = run.place.relative_to(study_dir.path).as_posix() if begun else ""
    if status == "finished" and metrics.get(plan.metric) is None:
        reason = f"it has no {plan.metric}"
    return RunOutcome(seed, folder, status, reason, metrics)


def _why_untuned(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord) -> str:
    """Why no value of the grid has all its tuning runs."""
    runs = [
        (f"{plan.tune} {candidate.name}, seed {seed}", study_dir.status(study_dir.run(cell, candidate, seed)))
        for candidate in cell.candidates
        for seed in plan.seeds[: plan.tune_seeds]
    ]
    failed = [f"{name}: {reason}" for name, (status, reason) in runs if status == "failed"]
    return "; ".join(["the tuning of this cell has not finished", *failed])


def _tuned(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord, candidate: CandidateRecord | None) -> Tuned | None:
    if plan.tune is None:
        return None
    means = {
        candidate.name: None if None in scores else sum(scores) / len(scores)  # type: ignore[arg-type]
        for candidate, scores in study_dir.tuning_scores(plan, cell)
    }
    return Tuned(plan.tune, candidate.name if candidate else None, plan.selects, means)


def _missing(cells: tuple[CellOutcome, ...], metric: str) -> list[str]:
    """A sentence for every run that did not finish, or did without what is compared."""
    return [
        f"{cell.name}, seed {run.seed}: {run.status or 'not trained yet'}" + (f": {run.reason}" if run.reason else "")
        for cell in cells
        for run in cell.runs
        if run.seed not in cell.scores(metric)
    ]


# -------------------------------------------------------------------------------------------------------- comparisons


def _comparisons(
    study: Path,
    plan: PlanRecord,
    cells: tuple[CellOutcome, ...],
    scores: Mapping[str, dict[int, float]],
    better: Better,
) -> tuple[ComparisonOutcome, ...]:
    compared = {cell.name: (cell, cell.against) for cell in cells if cell.against is not None}
    differences = {name: paired(scores[against], scores[name], name) for name, (_, against) in compared.items()}
    decisions = decide(differences, better=better)
    predicted = plan.metric.startswith("test_") and plan.measured.counts_right
    errors = sampling_errors(study, cells) if predicted else {}
    return tuple(
        ComparisonOutcome(
            cell=name,
            against=against,
            says=cell.says,
            comparison=decisions[name],
            sensitivity=sensitivity(differences[name], comparisons=len(compared)),
            test_set_error=errors.get(name),
        )
        for name, (cell, against) in compared.items()
    )


def _effects(
    plan: PlanRecord, cells: tuple[CellOutcome, ...], scores: Mapping[str, dict[int, float]]
) -> tuple[Factorial | None, str | None]:
    """The effects of a full factorial; or None and why."""
    crossed: Mapping[str, Any] = plan.crossed
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
