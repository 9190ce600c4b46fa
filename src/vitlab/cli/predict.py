"""`vitlab predict`: what a trained model says of pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab import api
from vitlab.cli import output
from vitlab.cli.options import JsonOption, RunArgument, TrustOption

if TYPE_CHECKING:
    from vitlab.predict import Prediction


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("predict", help="Classify pictures with a trained model.")(predict)


def predict(
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER…", help="Pictures, or folders of them.")],
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print the most probable classes of every picture; those that are unreadable are named at the end."""
    from vitlab.base.errors import DataError
    from vitlab.base.going_on import going_on

    waiting = output.waiting(json)
    with going_on(waiting, "classifying"):
        predictions = api.predict(run, images)
    readable = [prediction for prediction in predictions if prediction.reason is None]
    unreadable = [f"{file.path} is unreadable: {file.reason}" for file in predictions if file.reason is not None]
    if json and readable:
        output.print_json({"predictions": [_as_json(prediction) for prediction in readable], "unreadable": unreadable})
    elif readable:
        _print(readable)
    if unreadable:
        raise DataError("\n".join(unreadable))


def _as_json(prediction: "Prediction") -> dict[str, Any]:
    classes = [{"name": name, "probability": value} for name, value in prediction.classes]
    return {"path": str(prediction.path), "classes": classes}


def _print(predictions: list["Prediction"]) -> None:
    cells = [(str(p.path), *(f"{name} {value:.1%}" for name, value in p.classes[:3])) for p in predictions]
    ranks = ("first", "second", "third")[: len(cells[0]) - 1]
    output.print_table("predictions", ("picture", *ranks), cells)
