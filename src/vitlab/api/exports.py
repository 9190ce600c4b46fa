"""Exports: a model of ours as others run or load it, with what records say of it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vitlab.base.trust import typed

Settings = Mapping[str, Any]


class Export(NamedTuple):
    """What was written: its folder, the files, how it is used, the largest difference of its logits from the model's
    and what half precision cost (None where that was not asked or measured).
    """

    out: Path
    files: tuple[str, ...]
    used: str
    difference: float
    cost_of_half: str | None


def export(path: str | Path, out: str | Path, to: str, *, half: bool = False) -> Export:
    """Write a run's model, or any that `load` takes, in a format: onnx, torch_export, or whatever `convert` reads, timm
    and hf above all. A card, README.md, says what it is, what it scored and what was checked.

    With `half` in half precision; what that costs is measured on the test split of what it was trained on. Raises
    CheckpointError where the format cannot hold the model, or says something else than the model.
    """
    from vitlab.checkpoints.card import Evidence
    from vitlab.checkpoints.export import export as write
    from vitlab.checkpoints.trained import load

    typed(to, setting="format")
    trained = load(path)
    said = tuple(_scores(Path(path)))
    lost = _cost_of_half(path, trained.data is not None) if half else None
    evidence = Evidence(tuple(_training(Path(path))), said if lost is None else (*said, lost))
    written = write(trained, to, Path(out), half, evidence)
    return Export(written.out, written.files, written.used, written.difference, lost)


def _training(path: Path) -> Iterator[str]:
    """How the model was trained, of a run of ours."""
    from vitlab.records.run import Environment, RunDeclaration, run_at
    from vitlab.report.run import data_name

    run = run_at(path)
    if run is None:
        return
    declaration = RunDeclaration.read(run)
    data = data_name(declaration.spec) or "unnamed data"
    recipe = f", recipe {declaration.recipe}" if declaration.recipe else ""
    yield f"run {declaration.id}{recipe}, trained on {data}{_begun_with(declaration.spec.get('start', {}))}"
    environment = Environment.read_if_there(run)
    if environment is not None:
        yield f"trained by `{environment.command}`, commit {(environment.commit or 'unknown')[:12]}"


def _begun_with(start: Settings) -> str:
    """The weights that a run started from, by their name, as their place is of no use elsewhere, and their checksum."""
    path, checksum = start.get("path"), start.get("checksum")
    return f", begun with the weights {Path(path).name}, checksum {checksum}" if path else ""


def _scores(path: Path) -> Iterator[str]:
    from vitlab.records.run import run_at
    from vitlab.report.summary import score

    run = run_at(path)
    if run is not None and (scored := score(run)):
        yield scored


def _cost_of_half(path: str | Path, measurable: bool) -> str:
    """The scores of the test split in single and in half precision, where there are test images."""
    if not measurable:
        return "what half precision costs was not measured: there are no test images"
    import torch

    from vitlab.evaluate._checkpoint import Computing, evaluate_checkpoint

    full, half = (evaluate_checkpoint(path, computing=Computing(dtype)) for dtype in (torch.float32, torch.float16))
    name, metric = next((name, metric) for name, metric in full.metrics.items() if metric.counts_right)
    before, after = full.values[name], half.values[name]
    return (
        f"half precision: {metric.title} {metric.written(after)} instead of {metric.written(before)}, "
        f"on {full.images:,} test images"
    )
