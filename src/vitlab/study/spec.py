"""`StudySpec`: a question, a base run, a design, seeds, and what is held equal between cells."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, Spec, added
from vitlab.base.words import shown
from vitlab.study.design._base import DesignSpec, Factor, Level
from vitlab.train.spec import RunSpec

Equal = Literal["steps", "images", "flops", "nothing"]
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class StudySpec(Spec):
    """A study, completely: every cell is trained with every seed, and a cell that many others are compared with gets
    more (`vitlab.study.claims`), unless `baseline_seeds` says how many.

    Its `verdicts` are corrected over all claims; a plan with too few seeds for any is refused, unless it wants none.
    `worth` is the smallest difference worth having, in the metric's own units (0.005 of an accuracy is half a point):
    then a study can also say that there is none. `paired` compares seed by seed; that is worth having only where runs
    of one seed are known to be alike, `paired_for` the correlation that was seen.

    Held `equal` over all cells is what the base has: its steps; its images seen, where the batch size differs; its
    training FLOPs, where models differ; or nothing, where a cell says how long it trains. A warm-up stays as it is set,
    in steps or in epochs.

    Cells are compared by `metric`, as records call it: `test_top1`, `val_loss`. `tune` is a small grid, tried in every
    cell with `tune_seeds` of the seeds: the value of the best mean on the validation split is the cell's. The test
    split is not used for that.
    """

    question: str
    base: RunSpec
    design: DesignSpec
    num_seeds: int = 6  # the base's seed and those after it
    baseline_seeds: int | None = None
    verdicts: bool = True
    worth: float | None = None
    paired: bool = False
    paired_for: float | None = added(None)  # the correlation of cells over seeds, seen before, that earns it
    metric: str | None = None  # None: of the test split, what the task selects by
    equal: Equal = "steps"
    tune: Factor | None = None
    tune_seeds: int = 1

    def __post_init__(self) -> None:
        if self.base.seed + MOST_SEEDS >= 2**63:
            raise SpecError(
                f"base.seed={self.base.seed}: a study takes the seeds after it, too, and they would be too large"
            )
        if not self.question.strip():
            raise SpecError("question='': say what the study asks")
        if not 1 <= self.num_seeds <= MOST_SEEDS:
            raise SpecError(f"num_seeds={self.num_seeds}: must be from 1 to {MOST_SEEDS:,}")
        if self.baseline_seeds is not None and not self.num_seeds <= self.baseline_seeds <= MOST_SEEDS:
            raise SpecError(
                f"baseline_seeds={self.baseline_seeds}: must be from num_seeds={self.num_seeds} to {MOST_SEEDS:,}"
            )
        if self.paired_for is not None and not (self.paired and -1 <= self.paired_for <= 1):
            raise SpecError(f"paired_for={self.paired_for}: the correlation for which a study is paired, from -1 to 1")
        if self.paired and self.baseline_seeds is not None:
            raise SpecError(f"paired=True and baseline_seeds={self.baseline_seeds}: paired cells have the same seeds")
        if self.worth is not None:
            self._check_worth(self.worth)
        if not 1 <= self.tune_seeds <= self.num_seeds:
            raise SpecError(f"tune_seeds={self.tune_seeds}: must be between 1 and num_seeds={self.num_seeds}")
        self.check(self.base, "base.val_fraction")

    def _check_worth(self, worth: float) -> None:
        if isinstance(worth, bool) or not isinstance(worth, int | float) or not 0 < worth < math.inf:
            raise SpecError(f"worth={shown(worth)}: expected a positive number; leave it out where nothing is known")
        metric = self.base.measured().get(self.compared_by)
        if metric is not None and metric.is_fraction and worth >= 1:
            raise SpecError(f"worth={worth:g}: {self.compared_by} is from 0 to 1, so half a point is worth=0.005")

    @property
    def compared_by(self) -> str:
        """The metric that cells are compared by."""
        return self.metric or f"test_{self.base.task.selects}"

    def check(self, run: RunSpec, called: str) -> None:
        """Refuse a run that does not measure what the study needs; `called`: its `val_fraction`'s name, here."""
        metric = self.compared_by
        ending = [name for name in run.measured() if not name.startswith("train_")]
        if metric not in ending:
            raise SpecError(f"metric={metric}: legal: {', '.join(ending)}")
        needs = f"metric={metric}" if metric.startswith("val_") else self.tune and f"tune={self.tune.name}"
        if needs and run.val_fraction == 0:
            raise SpecError(f"{called}=0 and {needs}: there is no validation split")

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every cell has."""
        return self.seed_range(self.num_seeds)

    def seed_range(self, number: int) -> tuple[int, ...]:
        """The base's seed and those after it."""
        return tuple(range(self.base.seed, self.base.seed + number))


def factor(path: str, *values: Any, name: str = "") -> Factor:
    """A factor that is one setting, the reference first: `factor("model.pos_embed", "learned", "none")`."""
    return Factor(name or path, tuple(Level(label(value), {path: value}) for value in values))


def choice(name: str, levels: Mapping[str, Mapping[str, Any]], says: Mapping[str, str] = {}) -> Factor:
    """A factor whose levels set several things at once, by name; `says` are the words for some of them."""
    return Factor(name, tuple(Level(level, values, says.get(level, "")) for level, values in levels.items()))


def label(value: Any) -> str:
    """What people call a value: a component by its name, with the settings that are given."""
    if isinstance(value, Component):
        return value.name
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping) and "name" in value:
        settings = [f"{key}={label(item)}" for key, item in value.items() if key != "name"]
        return f"{value['name']} ({', '.join(settings)})" if settings else str(value["name"])
    if isinstance(value, tuple | list):
        return "×".join(map(label, value)) or "none"
    return str(value)
