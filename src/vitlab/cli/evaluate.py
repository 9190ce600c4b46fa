"""`vitlab evaluate`: a run's score on a test split, from its checkpoint."""

from pathlib import Path
from typing import Any

import typer

from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, RunArgument


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate", help="A run's score on a test split, from its checkpoint.")(evaluate)


def evaluate(run: RunArgument, data: DataOption = None, device: DeviceOption = None, json: JsonOption = False) -> None:
    """Print top-1, top-5, the loss and, if the model has one, its auxiliary part's loss."""
    from vitlab.train.again import evaluate_run

    scores = evaluate_run(run, _data(run, data), device)
    if json:
        output.print_json(scores)
        return
    top1, top5 = output.percent(scores["test_top1"]), output.percent(scores["test_top5"])
    losses = f"loss {scores['test_loss']:.4f}"
    if "test_auxiliary_loss" in scores:
        losses += f", auxiliary loss {scores['test_auxiliary_loss']:.4f}"
    output.console().print(f"{scores['images']} images: top-1 {top1}, top-5 {top5}, {losses}")


def _data(run: Path, text: str | None) -> Any:
    """Another set, with what it leaves open as the run had it."""
    from vitlab.base.records import read_field
    from vitlab.base.spec import from_dict
    from vitlab.recipes import changed
    from vitlab.train.spec import RunSpec

    spec = from_dict(RunSpec, read_field(run / "spec.json", "spec"))
    return None if text is None else changed(spec, {"data": text}).data
