"""`vitlab evaluate`: a run's score on a test split, from its checkpoint."""

from typing import TYPE_CHECKING, Annotated

import typer

from vitlab import api
from vitlab.base.words import counted
from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, RunArgument

if TYPE_CHECKING:
    from vitlab.evaluate._checkpoint import Score


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate", help="A run's score on a test split, from its checkpoint.")(evaluate)


def evaluate(
    run: RunArgument,
    data: DataOption = None,
    among: Annotated[
        str, typer.Option("--among", help="Classify among all classes of the model, or those present in the data.")
    ] = "all",
    device: DeviceOption = None,
    json: JsonOption = False,
) -> None:
    """Print what the run's task measures of the test images: top-1, top-5 and the loss of a classification."""
    from vitlab.base.errors import UserError

    if among not in ("all", "present"):
        raise UserError(f"--among {among}; legal: all, present")
    waiting = output.console(quiet=json, stderr=True)
    output.load_torch(waiting)
    waiting.print(f"evaluating {run} …")
    score = api.evaluate(run, data, device, among)  # type: ignore[arg-type]  # one of the two
    if json:
        output.print_json({**score.values, "images": score.images, "classes": len(score.classes), "among": among})
        return
    shown = sorted(score.metrics, key=lambda name: not score.metrics[name].is_fraction)  # accuracies first
    told = ", ".join(f"{score.metrics[name].title} {score.metrics[name].written(score.values[name])}" for name in shown)
    output.console().print(f"{score.images} images{_among(score)}: {told}")


def _among(score: "Score") -> str:
    """What is to be said where the data do not have all classes of the model."""
    if len(score.classes) == score.known:
        return ""
    among = "these alone" if score.among == "present" else f"all {score.known} of the model"
    return f" of {counted(len(score.classes), 'class', 'classes')}, classified among {among}"
