"""`vitlab evaluate`: a run's score on a test split, from its checkpoint."""

import typer

from vitlab import api
from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, RunArgument


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate", help="A run's score on a test split, from its checkpoint.")(evaluate)


def evaluate(run: RunArgument, data: DataOption = None, device: DeviceOption = None, json: JsonOption = False) -> None:
    """Print what the run's task measures of the test images: top-1, top-5 and the loss of a classification."""
    score = api.evaluate(run, data, device)
    if json:
        output.print_json({**score.values, "images": score.images})
        return
    shown = sorted(score.metrics, key=lambda name: not score.metrics[name].is_fraction)  # accuracies first
    told = ", ".join(f"{score.metrics[name].title} {score.metrics[name].written(score.values[name])}" for name in shown)
    output.console().print(f"{score.images} images: {told}")
