"""A study's runs, before anything is trained: every cell built on the meta device, checked and costed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from vitlab.base.errors import SpecError, UserError
from vitlab.base.going_on import Say, unsaid
from vitlab.base.identity import spec_id, whereabouts_of
from vitlab.base.spec import from_dict, plain, to_dict
from vitlab.base.words import counted, slug
from vitlab.models.cost import Cost, cost
from vitlab.recipes import changed
from vitlab.records.plan import FREE, CandidateRecord, CellRecord, PlanRecord
from vitlab.stats.decision import ALPHA
from vitlab.study.claims import all_contrasts, enough_seeds, seeds_by_cell, undecidable
from vitlab.study.design._base import MOST_CELLS, Cell, Level, merged
from vitlab.study.spec import StudySpec
from vitlab.study.twins import Named, same_training
from vitlab.train.spec import RunSpec
from vitlab.train.stacking import structure

T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """A cell's run, but for the seed: the only one, or one for each value of the tuning grid."""

    name: str  # empty where nothing is tuned
    spec: RunSpec

    @property
    def folder(self) -> str:
        """Where its runs stand in the cell's folder."""
        return slug(self.name) if self.name else ""


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what it trains and what that costs."""

    cell: Cell
    folder: str  # unlike any other of the study
    candidates: tuple[Candidate, ...]
    cost: Cost
    seeds: tuple[int, ...]

    @property
    def step_flops(self) -> int:
        """Of one optimiser step."""
        return self.cost.step_flops * self.candidates[0].spec.batch_size

    @property
    def steps(self) -> int | None:
        """About how many steps one of its runs takes; None where only a look at the data tells."""
        return self.candidates[0].spec.planned_steps()


@dataclass(frozen=True)
class Plan:
    """All cells of a study."""

    study: StudySpec
    cells: tuple[PlannedCell, ...]

    def families(self) -> list[list[PlannedCell]]:
        """The cells by structure: those of one can be trained in one stack."""
        families: dict[str, list[PlannedCell]] = {}
        for planned in self.cells:
            families.setdefault(structure(planned.candidates[0].spec), []).append(planned)
        return list(families.values())

    def runs_of(self, planned: PlannedCell) -> int:
        """How many runs a cell has: its seeds, and those that tuning trains and does not keep."""
        return len(planned.seeds) + self.study.tune_seeds * (len(planned.candidates) - 1)

    def as_record(self) -> PlanRecord:
        """`plan.json`: everything that reading the study needs, without torch."""
        study = from_dict(StudySpec, to_dict(self.study))  # a ratio of 4, built in Python, is 4.0: as its id has it
        crossed = study.design.factors_crossed()
        measured = [candidate.spec.measured() for planned in self.cells for candidate in planned.candidates]
        return PlanRecord(
            id=study_id(study),
            question=study.question,
            design=study.design.name,
            metric=study.compared_by,
            equal=study.equal,
            seeds=study.seeds,
            tune=None if study.tune is None else study.tune.name,
            tune_seeds=study.tune_seeds,
            crossed={factor.name: [level.name for level in factor.levels] for factor in crossed},
            cells=tuple(_cell_record(planned) for planned in self.cells),
            study=to_dict(study),
            metrics={name: metric for metrics in measured for name, metric in metrics.items()},
            selects=f"val_{study.base.task.selects}",
            whereabouts=tuple(whereabouts_of(study)),
            verdicts=study.verdicts,
            worth=study.worth,
            paired=study.paired,
        )


def study_id(study: StudySpec) -> str:
    """What names a study: all of it but how many seeds, which may grow, and whether they are enough for verdicts."""
    return spec_id(replace(study, **FREE))


def plan(study: StudySpec, say: Say = unsaid) -> Plan:
    """Plan a study; `say` is told how far the check is. Raises SpecError naming every cell that cannot be, and why."""
    cells = study.design.cells(study.base)
    if len(cells) > MOST_CELLS:
        raise SpecError(f"design: {len(cells):,} cells, and at most {MOST_CELLS:,}")
    runs = _each(cells, [partial(_runs, study, cell) for cell in cells])  # all are checked first: that is quick
    base_flops = cost(study.base.model).flops
    counts = seeds_by_cell(
        cells,
        study.num_seeds,
        study.baseline_seeds,
        paired=study.paired or not (study.verdicts or study.baseline_seeds),
    )
    planned = _each(
        cells,
        [
            partial(_planned, study, cell, candidates, base_flops, study.seed_range(counts[cell.name]))
            for cell, candidates in zip(cells, runs, strict=True)
        ],
        say,
    )
    _refuse_twins(study, planned)
    if study.verdicts:
        _refuse_undecidable(study, cells, counts)
    return Plan(study, tuple(planned))


def _refuse_undecidable(study: StudySpec, cells: Sequence[Cell], counts: Mapping[str, int]) -> None:
    """Raise SpecError where so few seeds cannot decide what the study asks, whatever their results."""
    crossed = {factor.name: [level.name for level in factor.levels] for factor in study.design.factors_crossed()}
    claims = all_contrasts(cells, crossed)
    hopeless = undecidable(claims, counts, paired=study.paired)
    if not hopeless:
        return
    first = hopeless[0]
    smallest, asked = first.smallest_p(counts, paired=study.paired), ALPHA / len(hopeless)
    enough = enough_seeds(cells, claims, paired=study.paired)
    advice = f"--seeds {enough} can decide all; " if enough else ""
    asked_for = f"num_seeds={study.num_seeds}"
    if study.baseline_seeds is not None:
        asked_for += f", baseline_seeds={study.baseline_seeds}"
        advice = f"--seeds {enough}, which lets the plan choose baseline_seeds, can decide all; " if enough else ""
    correction = f"Holm's correction asks for {asked:.2g}" if len(claims) > 1 else f"a verdict asks for {asked:.2g}"
    raise SpecError(
        f"{asked_for}: {len(hopeless)} of {counted(len(claims), 'claim')} could not be decided, "
        f"whatever the results: the smallest p that the seeds of {first.name!r} can reach is {smallest:.2g}, and "
        f"{correction}; {advice}--no-verdicts trains them without a verdict"
    )


def _each(cells: Sequence[Cell], work: Sequence[Callable[[], T]], say: Say = unsaid) -> list[T]:
    """What is to be done for every cell, done. Raises SpecError naming all cells for which it cannot be."""
    done, problems = [], []
    for number, (cell, do) in enumerate(zip(cells, work, strict=True), 1):
        say(f"checking cell {number:,} of {len(cells):,}")
        try:
            done.append(do())
        except UserError as error:
            problems.append(f"cell {cell.name!r}: {error}")
    if problems:
        raise SpecError("\n".join(problems))
    return done


def _runs(study: StudySpec, cell: Cell) -> dict[str, RunSpec]:
    """What a cell trains, of the base's length, by the value of the tuning grid. Raises UserError."""
    specs = {}
    for level in study.tune.levels if study.tune else (Level(""),):
        settings = merged([Level(cell.name, cell.settings), level])
        if "seed" in settings:
            raise SpecError(f"seed={settings['seed']}: a cell cannot set its seed; all cells use the same seeds")
        own = [name for name in ("epochs", "steps") if name in settings]
        if own and study.equal != "nothing":
            raise SpecError(
                f"{own[0]}: a cell cannot set its length where equal={study.equal}; with equal=nothing it can"
            )
        specs[level.name] = changed(study.base, settings)
        study.check(specs[level.name], "val_fraction")
    return specs


def _planned(
    study: StudySpec, cell: Cell, runs: Mapping[str, RunSpec], base_flops: int, seeds: tuple[int, ...]
) -> PlannedCell:
    candidates = [Candidate(name, _held_equal(study, spec, base_flops)) for name, spec in runs.items()]
    for candidate in candidates:
        candidate.spec.check_warmup(candidate.spec.planned_steps_per_epoch())
    spent = [cost(candidate.spec.model) for candidate in candidates]
    if len({(candidate.num_params, candidate.flops) for candidate in spent}) > 1:
        raise SpecError("the values of tune differ in parameters or FLOPs, but a cell has one cost: use a factor")
    most = max(spent, key=lambda costs: costs.activation_bytes)  # a drop rate of 0 keeps no masks
    return PlannedCell(cell, slug(cell.name), tuple(candidates), most, seeds)


def _held_equal(study: StudySpec, spec: RunSpec, base_flops: int) -> RunSpec:
    """The run, as long as the study says."""
    if study.equal == "nothing":
        return spec
    base = study.base
    batches = spec.batch_size / base.batch_size
    images = {"steps": batches, "images": 1.0, "flops": base_flops / cost(spec.model).flops}[study.equal]
    if base.steps is not None:
        return replace(spec, steps=max(1, round(base.steps * images / batches)))
    if (spec.data.num_train, spec.val_fraction) != (base.data.num_train, base.val_fraction):
        raise SpecError(
            f"it trains on another number of images, and the base has epochs={base.epochs}; "
            f"equal={study.equal} needs a base whose length is given in steps"
        )
    assert base.epochs is not None
    return replace(spec, epochs=base.epochs * images * base.repeats / spec.repeats)


def _refuse_twins(study: StudySpec, planned: Sequence[PlannedCell]) -> None:
    """Raise SpecError for cells that share a folder or a training, and for values of the grid that share a folder."""
    folders = [(f"cell {cell.cell.name!r}", cell.folder) for cell in planned]
    runs = [(f"cell {cell.cell.name!r}", _run_on_data(cell.candidates[0].spec)) for cell in planned]
    tuned = [(f"tune value {level.name!r}", slug(level.name)) for level in (study.tune.levels if study.tune else ())]
    problems = [*_twins(folders, "folder"), *_twins(runs, "run"), *_twins(tuned, "folder")]
    if not problems:
        named = [Named(cell.cell.name, cell.candidates[0].spec, cell.cost) for cell in planned]
        for one, other, changed in same_training(named):
            problems.append(
                f"cell {one!r} and cell {other!r} are the same training: {', '.join(changed)} changes nothing here"
            )
    if problems:
        raise SpecError("\n".join(problems))


def _run_on_data(spec: RunSpec) -> str:
    """What names a run, and where its data lie: an id does not say that, since data may be moved."""
    return f"{spec_id(spec)} on {getattr(spec.data, 'path', spec.data.name)}"


def _twins(named: Sequence[tuple[str, str]], kind: str) -> Iterator[str]:
    """What is the same under two names: a folder, or a run."""
    first: dict[str, str] = {}
    for name, key in named:
        if key in first:
            yield f"{first[key]} and {name} are the same {kind}: {key}"
        first.setdefault(key, name)


def _cell_record(planned: PlannedCell) -> CellRecord:
    cell, spent = planned.cell, planned.cost
    return CellRecord(
        name=cell.name,
        folder=planned.folder,
        levels=dict(cell.levels),
        settings=plain(cell.settings),
        against=cell.against,
        says=cell.says,
        num_params=spent.num_params,
        flops=spent.flops,
        step_flops=planned.step_flops,
        activation_bytes=spent.activation_bytes,
        seeds=planned.seeds,
        candidates=tuple(CandidateRecord(run.name, run.folder, to_dict(run.spec)) for run in planned.candidates),
    )
