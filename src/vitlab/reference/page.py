"""The systems as tables: rows for a terminal, and the Markdown page docs/reproductions.md, study by study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vitlab.reference import STUDIES
from vitlab.reference.system import Evidence, Figure, Missing, System

HEAD = """# Reproductions

Every row of the tables of the five studies that vitlab is built to reproduce: its model and its training here, the
published results, and what we measured. The page is written by `vitlab list systems --markdown > docs/reproductions.md`
from `src/vitlab/reference/`, and a test checks that it is up to date.

Parameters are counted from the model that `vitlab show PRESET` builds. Accuracies are top-1 on the test images in
percent. A dash means that something is missing, for the numbered reason below the table. *Inferred* marks what a study
does not say and we concluded.
"""
COLUMNS = ("row", "preset", "parameters", "recipe", "published", "ours")
NAMES = {
    "top1": "",
    "top5": "top-5 ",
    "train_top1": "train ",
    "five_shot_top1": "5-shot ",
    "val_loss": "loss ",
    "seconds_per_epoch": "seconds an epoch ",
}


@dataclass
class Reasons:
    """Why things are missing, each reason numbered when it is first met."""

    numbers: dict[str, int] = field(default_factory=dict)

    def dash(self, missing: Missing) -> str:
        """A dash with the number of its reason."""
        return f"– [{self.numbers.setdefault(missing.reason, len(self.numbers) + 1)}]"

    def lines(self) -> list[str]:
        """The numbered reasons."""
        return [f"[{number}] {reason}" for reason, number in self.numbers.items()]


def page(num_params: Mapping[str, int]) -> str:
    """The whole page; `num_params` is that of every preset's model."""
    parts = [HEAD]
    for study in STUDIES.values():
        parts += [f"## {study.TITLE}\n", f"{study.ABOUT}\n", _markdown(study.SYSTEMS, num_params, study.USUAL)]
    return "\n".join(parts)


def _markdown(systems: Sequence[System], num_params: Mapping[str, int], usual: str) -> str:
    """The rows as a table with the reasons below; `usual` is what the figures are where nothing else is said."""
    reasons = Reasons()
    rows = [(*COLUMNS, "remarks"), ("---",) * (len(COLUMNS) + 1)]
    for system in systems:
        rows.append((*cells(system, num_params, reasons, system.published, usual, code="`"), _remarks(system)))
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", "<br>\n".join(reasons.lines()), ""])


def cells(
    system: System,
    num_params: Mapping[str, int],
    reasons: Reasons,
    figures: Sequence[Figure],
    usual: str = "",
    code: str = "",
) -> tuple[str, ...]:
    """A row of a table with some of its published figures; `code` stands around names that can be typed."""
    preset, recipe, ours = system.preset, system.recipe, system.ours
    return (
        system.row,
        reasons.dash(preset) if isinstance(preset, Missing) else f"{code}{preset}{code}",
        "–" if isinstance(preset, Missing) else f"{num_params[preset]:,}",
        reasons.dash(recipe) if isinstance(recipe, Missing) else f"{code}{recipe}{code}",
        ", ".join(_published(figure, usual) for figure in figures) or "–",
        reasons.dash(ours) if isinstance(ours, Missing) else _measured(ours),
    )


def accuracies(system: System) -> tuple[Figure, ...]:
    """The figures that a narrow table has room for, without what they are."""
    return tuple(figure._replace(what="") for figure in system.published if figure.metric in ("top1", "five_shot_top1"))


def _published(figure: Figure, usual: str) -> str:
    what = f" ({figure.what})" if figure.what not in ("", usual) else ""
    return f"{NAMES[figure.metric]}{figure.value}{what}"


def _measured(ours: Evidence) -> str:
    spread = "" if ours.spread is None else f" ± {ours.spread}"
    return f"{ours.value}{spread} (n {ours.n}; {ours.hardware}; {ours.commit}; {ours.command})"


def _remarks(system: System) -> str:
    inferred = f"*inferred*: {system.inferred}" if system.inferred else ""
    return "; ".join(filter(None, (inferred, system.note)))
