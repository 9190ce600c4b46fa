"""What a run has come to, on one line: what stands at the end of a training."""

from collections.abc import Iterator
from pathlib import Path

from vitlab.base.words import counted
from vitlab.records.data import DataRecord
from vitlab.records.run import Result, RunDeclaration, read_result
from vitlab.stats.majority import majority


def summary(folder: Path) -> str:
    """Why it failed, or its score and its time; and where classes are uneven, what the score is to be seen beside."""
    declaration = RunDeclaration.read(folder)
    result = read_result(folder, declaration) or Result.read(folder)  # which says that there is none
    if result.status != "finished":
        return f"{result.status}: {result.reason}"
    scored = _scored(declaration, result, DataRecord.read_if_there(folder))
    return f"{scored}{', ' if scored else ''}{result.metrics.get('train_seconds', '?')} s"


def score(folder: Path) -> str:
    """What a finished run scored, on how many images; empty of any other."""
    declaration, data = RunDeclaration.read(folder), DataRecord.read_if_there(folder)
    result = read_result(folder, declaration)
    if result is None or result.status != "finished":
        return ""
    split = declaration.scored_on(result.metrics)
    count = f", on {counted(data.split(split).images, 'image')}" if data and split else ""
    return _scored(declaration, result, data) + count


def _scored(declaration: RunDeclaration, result: Result, data: DataRecord | None) -> str:
    return declaration.told(result.metrics) + "".join(_where_uneven(declaration, result, data))


def _where_uneven(declaration: RunDeclaration, result: Result, data: DataRecord | None) -> Iterator[str]:
    """How far always naming the largest class gets, and what was measured with every class alike."""
    split = declaration.scored_on(result.metrics)
    found = data.found.splits.get(split) if data and data.found and split else None
    largest = majority(found.classes) if found else None
    if largest is None:
        return
    measured = {name: metric for name, metric in declaration.metrics.items() if name.startswith(f"{split}_")}
    if any(metric.counts_right for metric in measured.values()):
        yield f" (always saying {largest.name}: {100 * largest.share:.2f} %)"
    for name, metric in measured.items():
        if metric.over == "classes" and (value := result.metrics.get(name)) is not None:
            yield f", {metric.title} {metric.written(value)}"
