"""`System`: one row of a reference study. What is not there is a `Missing` with its reason, never an empty place."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Missing(NamedTuple):
    """Why there is no preset, no recipe or no result of ours."""

    reason: str


class Figure(NamedTuple):
    """A published number: `metric` is top1, top5, train_top1 in percent, or a loss, or seconds; `what` says which."""

    metric: str
    value: float
    what: str = ""


class Evidence(NamedTuple):
    """What our own runs gave: top-1 of the test split in percent, over `n` seeds, with what it takes to repeat it."""

    value: float
    n: int
    spread: float | None  # standard deviation over the seeds; None for a single one
    command: str
    hardware: str
    commit: str


TOO_LONG = Missing("not run at full length: it takes more GPU time than was available")
NO_CHECKPOINT = Missing(
    "not run: it needs the published weights (`--init FILE`, with what Google or timm publish) and more GPU time than "
    "was available"
)


@dataclass(frozen=True)
class System:
    """A row: its name, the model and the training that are it here, and the figures on both sides.

    The number of parameters is not written here: it is counted from the model. `inferred` says what of the row is not
    told by the study and was concluded; empty if nothing.
    """

    row: str
    dataset: str
    preset: str | Missing
    recipe: str | Missing
    published: tuple[Figure, ...] = ()
    ours: Evidence | Missing = TOO_LONG
    inferred: str = ""
    note: str = ""

    @property
    def missing(self) -> dict[str, str]:
        """What is not there, and why."""
        places = {"preset": self.preset, "recipe": self.recipe, "ours": self.ours}
        return {name: value.reason for name, value in places.items() if isinstance(value, Missing)}

    def as_json(self, num_params: int | None) -> dict[str, Any]:
        """For --json; `num_params` is that of the preset's model."""
        return {
            "row": self.row,
            "dataset": self.dataset,
            "preset": self.preset if isinstance(self.preset, str) else None,
            "num_params": num_params,
            "recipe": self.recipe if isinstance(self.recipe, str) else None,
            "published": [figure._asdict() for figure in self.published],
            "ours": self.ours._asdict() if isinstance(self.ours, Evidence) else None,
            "missing": self.missing,
            "inferred": self.inferred,
            "note": self.note,
        }
