"""A run: what it has come to, from its records."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.differences import differences
from vitlab.base.durations import duration
from vitlab.base.options import in_words
from vitlab.base.spec import plain, to_dict
from vitlab.base.words import counted
from vitlab.names import is_recipe
from vitlab.records.run import RunDeclaration
from vitlab.report.run import RunRecord, read_run


class Run(NamedTuple):
    """What is known of a run. `differs` are its settings that are not those of `compared_with`."""

    facts: dict[str, str]
    compared_with: str
    differs: dict[str, Any]
    status: str
    metrics: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return self._asdict()


def about(folder: Path) -> Run:
    """The run in a folder. Raises DataError for records that are damaged."""
    run = read_run(folder, with_predictions=False)
    base, compared_with = _base_of(run.declaration)
    return Run(dict(_facts(run)), compared_with, differences(base, run.spec), run.status, run.metrics)


def _facts(run: RunRecord) -> Iterator[tuple[str, str]]:
    yield "status", run.status + (f": {run.reason}" if run.reason else "")
    if scores := ", ".join(_scores(run)):
        yield "scores", scores
    if (seconds := run.metrics.get("train_seconds")) is not None:
        steps = run.metrics.get("steps")
        yield "time", duration(seconds) + ("" if steps is None else f", {counted(steps, 'step')}")
    if run.environment is not None:
        machine = (run.environment.accelerator or {}).get("name") or run.environment.hardware.get("cpu")
        yield "machine", ", ".join(str(said) for said in (machine, in_words(run.choices)) if said)
        yield "started", str(run.environment.started)
        yield "commit", str(run.environment.commit)
        yield "command", str(run.environment.command)


def _scores(run: RunRecord) -> Iterator[str]:
    """What was measured of held-out pictures, shares first; of an unfinished run in its last evaluation."""
    figures = run.metrics if run.status == "finished" else (run.history or [{}])[-1]
    for split in ("test", "val"):
        measured = {name: metric for name, metric in run.declaration.metrics.items() if name.startswith(f"{split}_")}
        for name in sorted(measured, key=lambda name: not measured[name].is_fraction):
            if measured[name].brief and (value := figures.get(name)) is not None:
                yield f"{split} {measured[name].title} {measured[name].written(value)}"


def _base_of(declaration: RunDeclaration) -> tuple[Mapping[str, Any], str]:
    """What a run's settings are compared with: its recipe's or, of a spec of somebody's own, the defaults."""
    from vitlab.models.spec import ViTSpec
    from vitlab.recipes import recipe
    from vitlab.train.spec import RunSpec

    if is_recipe(declaration.recipe):
        return to_dict(recipe(declaration.recipe)), declaration.recipe
    defaults = {field.name: plain(field.default) for field in fields(RunSpec) if field.default is not MISSING}
    return {**defaults, "model": to_dict(ViTSpec()), "data": {}}, "the defaults"
