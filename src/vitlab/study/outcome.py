"""The outcome of a study: what its records say, with statistics. From plan.json and the runs' records alone; no torch.

    outcome(folder)      everything that study.json and the report show; `outcome_in(StudyDir(folder))` for whoever
                         reads more of the folder

What is missing stays missing: a cell's score is over the seeds that finished, and `missing` names every run that is not
there with its reason. A run that diverged, or finished and learned nothing, is an outcome: the cell's survivors are
compared, and earn no "better".
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median

from vitlab.base.metric import Better
from vitlab.records.data import DataRecord
from vitlab.records.execution import CellCosts
from vitlab.records.history import peeks
from vitlab.records.outcome import (
    COSTS,
    IN_TIME,
    UNDISTURBED,
    CellOutcome,
    ComparisonOutcome,
    EffectOutcome,
    Outcome,
    RunOutcome,
    Tuned,
)
from vitlab.records.plan import CandidateRecord, CellRecord, PlanRecord
from vitlab.stats.correlation import correlation
from vitlab.stats.crossed import Estimate, ScoreTable, contrast
from vitlab.stats.decision import Claim, Decision, RunTest, Verdict, decide, undecided
from vitlab.stats.describe import describe
from vitlab.stats.pareto import pareto_front
from vitlab.stats.permutation import PermutationTest, Stratum
from vitlab.stats.power import seeds_needed
from vitlab.stats.sign_flip import SignFlipTest
from vitlab.stats.validation import only
from vitlab.study.claims import Contrast, comparisons, effect_contrasts
from vitlab.study.cost_ratios import cost_ratios, least_busy, with_pace
from vitlab.study.scores import CellScores, cell_scores, images_of_split, learned_nothing, paired_table
from vitlab.study.study_dir import StudyDir


def outcome(path: Path) -> Outcome:
    """Read the study in `path` as far as it has come. Raises DataError if a record is damaged."""
    return outcome_in(StudyDir(path))


def outcome_in(study_dir: StudyDir) -> Outcome:
    """The same; `study_dir` keeps what was read of the runs' histories."""
    plan = study_dir.plan()
    better = plan.measured.better
    timed = study_dir.execution_record().costs([cell.folder for cell in plan.cells])
    read = tuple(_cell(study_dir, plan, cell, timed) for cell in plan.cells)
    scores, no_pictures = cell_scores(study_dir, plan, read)
    tables = {name: cell.table() for name, cell in scores.items()}
    described = (replace(cell, score=describe(tables[cell.name])) for cell in read)
    cells = with_pace(tuple(described), _ways(study_dir, plan))
    judge = _Judge(plan, {cell.name: cell for cell in cells}, scores, tables)
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
        comparisons=judge.comparisons(),
        effects=judge.effects(),
        fronts=_fronts(cells, better, timed),
        missing=tuple(_missing(cells, plan.metric)),
        metrics=plan.metrics,
        no_pictures=no_pictures,
        verdicts=plan.verdicts,
        worth=plan.worth,
        paired=plan.paired,
        paired_for=plan.paired_for,
        looks=plan.looks,
        busy=least_busy(timed),
    )


# -------------------------------------------------------------------------------------------------------------- cells


def _cell(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord, timed: Mapping[str, CellCosts]) -> CellOutcome:
    """A cell with its runs; its score is described when those of all cells are known."""
    candidate = study_dir.chosen(plan, cell)
    return CellOutcome(
        name=cell.name,
        says=cell.says,
        levels=cell.levels,
        settings=cell.settings,
        against=cell.against,
        spec=(candidate or cell.candidates[0]).spec,
        costs=_costs(cell, timed.get(cell.folder)),
        ratios=cost_ratios(timed, plan.cells[0].folder, cell.folder),
        tuned=_tuned(study_dir, plan, cell, candidate),
        runs=tuple(_run(study_dir, plan, cell, candidate, seed) for seed in cell.seeds),
        images=images_of_split(study_dir, plan, cell),
        score=describe(ScoreTable([])),
    )


def _costs(cell: CellRecord, timed: CellCosts | None) -> dict[str, float | None]:
    """What a cell's model has and takes: counted, and measured in rounds with the other cells."""
    measured = {
        "seconds_per_image": median(timed.image) if timed else None,
        "seconds_per_step": median(timed.step) if timed else None,
    }
    return {name: measured[name] if name in measured else getattr(cell, name) for name in COSTS}


def _ways(study_dir: StudyDir, plan: PlanRecord) -> dict[str, str]:
    """How each cell is trained, by its name, of the cells that one kind of host alone has trained."""
    hosts = study_dir.execution_record().hosts.values()
    called = {
        cell.name: [host.cells[cell.folder].called for host in hosts if cell.folder in host.cells]
        for cell in plan.cells
    }
    return {name: ways[0] for name, ways in called.items() if len(ways) == 1}


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
    state = study_dir.state(run)
    reason, folder, nothing = state.reason, "", False
    history = study_dir.histories.read(run.place, plan.metrics) if state.begun else []
    epochs = history[-1].get("epoch") if history else None
    if state.begun:
        folder = run.place.relative_to(study_dir.path).as_posix()
    if state.status == "finished":
        nothing = learned_nothing(DataRecord.read_if_there(run.place), plan, state.metrics)
        if state.metrics.get(plan.metric) is None:
            reason = f"it has no {plan.metric}"
    return RunOutcome(
        seed, folder, state.status, reason, state.metrics, state.diverged, nothing, epochs, peeks(history)
    )


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
    value = candidate.name if candidate else None
    return Tuned(
        plan.tune, value, plan.selects, means, _failed_values(study_dir, plan, cell), _at_an_edge(list(means), value)
    )


def _failed_values(study_dir: StudyDir, plan: PlanRecord, cell: CellRecord) -> dict[str, str]:
    """The values of the grid of which a tuning run has failed, and why the first did."""
    failed: dict[str, str] = {}
    for candidate in cell.candidates:
        for seed in plan.seeds[: plan.tune_seeds]:
            status, reason = study_dir.status(study_dir.run(cell, candidate, seed))
            if status == "failed":
                failed.setdefault(candidate.name, f"seed {seed}: {(reason or '').partition(chr(10))[0]}")
    return failed


def _at_an_edge(values: list[str], best: str | None) -> bool:
    """Whether the best of a grid of numbers is its smallest or largest."""
    try:
        numbers = sorted(map(float, values))
    except ValueError:  # of names, which have no order
        return False
    return best is not None and len(numbers) > 1 and float(best) in (numbers[0], numbers[-1])


def _missing(cells: tuple[CellOutcome, ...], metric: str) -> list[str]:
    """A sentence for every run that did not finish, or did without what is compared."""
    return [
        f"{cell.name}, seed {run.seed}: {run.status or 'not trained yet'}" + (f": {run.reason}" if run.reason else "")
        for cell in cells
        for run in cell.runs
        if run.seed not in cell.scores(metric)
    ]


# ----------------------------------------------------------------------------------------------------------- verdicts


class _Judge:
    """All claims of a study, decided together."""

    def __init__(
        self,
        plan: PlanRecord,
        cells: Mapping[str, CellOutcome],
        scores: Mapping[str, CellScores],
        tables: Mapping[str, ScoreTable],
    ):
        self.plan, self.cells, self.scores, self.tables = plan, cells, scores, tables
        self.compared = comparisons(plan.cells)
        self.crossed = list(effect_contrasts(plan.cells, plan.crossed))
        claims = {each.name: self._claim(each) for each in (*self.compared, *(each for _, each in self.crossed))}
        self.estimates = {name: claim.estimate for name, claim in claims.items()}
        if plan.verdicts:
            self.decisions: Mapping[str, Decision] = decide(claims, better=plan.measured.better, worth=plan.worth)
        else:
            why = "the plan asks for no verdicts"
            self.decisions = {name: undecided(estimate, why) for name, estimate in self.estimates.items()}

    def comparisons(self) -> tuple[ComparisonOutcome, ...]:
        """Every cell against the one it is compared with."""
        return tuple(map(self._comparison, self.compared))

    def effects(self) -> tuple[EffectOutcome, ...]:
        """Of a full factorial."""
        outcomes = []
        for effect, claimed in self.crossed:
            needed, no_need = self._needed(claimed)
            decision, reasons = self.decisions[claimed.name], only(seeds_needed=no_need)
            outcomes.append(EffectOutcome(effect.factors, effect.levels, effect.references, decision, needed, reasons))
        return tuple(outcomes)

    def _comparison(self, claimed: Contrast) -> ComparisonOutcome:
        cell, against = claimed.weights
        related, unrelated = correlation(self.scores[against].by_seed, self.scores[cell].by_seed)
        in_stds, no_stds = self._in_run_stds(claimed)
        needed, no_need = self._needed(claimed)
        return ComparisonOutcome(
            cell=cell,
            against=against,
            says=self.cells[cell].says,
            decision=self.decisions[claimed.name],
            correlation=related,
            in_run_stds=in_stds,
            seeds_needed=needed,
            reasons=only(correlation=unrelated, in_run_stds=no_stds, seeds_needed=no_need),
        )

    def _claim(self, claimed: Contrast) -> Claim:
        """A contrast with its estimate and its test."""
        unearned = self._unearned(claimed)
        if self.plan.paired:
            table = paired_table(self.scores, claimed.weights)
            if table.n == 0:
                return Claim(Estimate(None, reasons=dict.fromkeys(("value", "error"), "they have no seed in common")))
            estimate = contrast([table], [1.0])
            return Claim(estimate, SignFlipTest(table.runs) if estimate.error is not None else None, unearned)
        estimate = contrast([self.tables[cell] for cell in claimed.weights], list(claimed.weights.values()))
        return Claim(estimate, self._test(claimed, estimate), unearned)

    def _test(self, claimed: Contrast, estimate: Estimate) -> RunTest | None:
        if not claimed.exchangeable or estimate.error is None:
            return None
        runs = {name: self.tables[name].runs for name in claimed.weights}
        return PermutationTest([Stratum(runs[one], runs[other]) for one, other in claimed.exchangeable])

    def _unearned(self, claimed: Contrast) -> dict[Verdict, str]:
        """Cells that have lost runs cannot be the better ones: those that diverged might have been the worst. A run
        that learned nothing is in the mean; beside it a cell is not called better, though the other may be.
        """
        unearned: dict[Verdict, str] = {}
        for name, weight in claimed.weights.items():
            cell = self.cells[name]
            if cell.lost and (weight > 0 or any(run.diverged for run in cell.runs)):
                unearned["better" if weight > 0 else "worse"] = f"{name}: {cell.lost}"
        return unearned

    def _in_run_stds(self, claimed: Contrast) -> tuple[float | None, str]:
        variances = [self.tables[name].run_variance for name in claimed.weights]
        value = self.estimates[claimed.name].value
        if value is None or None in variances:
            return None, "1 value has no spread"
        mean = sum(v for v in variances if v) / len(variances)
        return (value / mean**0.5, "") if mean else (None, "neither cell varies over its seeds")

    def _needed(self, claimed: Contrast) -> tuple[int | None, str]:
        """The seeds that would decide what leans."""
        decision = self.decisions[claimed.name]
        if not decision.leans or decision.quoted is None:
            return None, "it does not lean"
        finished = {name: table.n for name, table in self.tables.items()}
        base = min(finished[name] for name in claimed.weights)

        def smallest_p(seeds: int) -> float:
            scaled = {name: round(number * seeds / base) for name, number in finished.items()}
            return claimed.smallest_p(scaled, paired=self.plan.paired)

        return seeds_needed(self.estimates[claimed.name], base, 1 - decision.quoted.level, smallest_p)


def _fronts(
    cells: tuple[CellOutcome, ...], better: Better, timed: Mapping[str, CellCosts]
) -> dict[str, tuple[str, ...]]:
    """For every cost that all cells with a score have: who is on the front. Times of a machine that had other work, and
    those that the training's own pace contradicts, rank nothing.
    """
    scored = [cell for cell in cells if cell.score.mean is not None]
    busy = least_busy(timed)
    loaded = busy is not None and busy < UNDISTURBED
    doubtful = {cost for cell in scored for cost, ratio in cell.ratios.items() if ratio.is_doubtful}
    costs = [cost for cost in COSTS if cost not in doubtful and not (loaded and cost in IN_TIME)]
    known = [cost for cost in costs if scored and all(cell.costs[cost] is not None for cell in scored)]
    return {
        cost: pareto_front({cell.name: (cell.score.mean, cell.costs[cost]) for cell in scored}, better=better)  # type: ignore[misc]
        for cost in known
    }
