"""`vitlab predict`: what a trained model says of pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption, RunArgument

if TYPE_CHECKING:
    from vitlab.evaluate.pictures import Prediction


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("predict", help="What a trained model says of pictures.")(predict)


def predict(
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER…", help="Pictures, or folders of them.")],
    json: JsonOption = False,
) -> None:
    """Print the most probable classes of every picture; those that are unreadable are named at the end."""
    from vitlab.base.errors import DataError
    from vitlab.base.records import read_field
    from vitlab.base.spec import from_dict
    from vitlab.checkpoints.model import load
    from vitlab.evaluate import pictures
    from vitlab.train.spec import RunSpec

    task = from_dict(RunSpec, read_field(run / "spec.json", "spec")).task
    model, preprocessing = load(run)
    found = list(pictures.predict(model, preprocessing, task, pictures.find(images)))
    readable = [each for each in found if each.reason is None]
    unreadable = [f"{each.path} is unreadable: {each.reason}" for each in found if each.reason is not None]
    if json and readable:
        output.print_json({"predictions": [_as_json(each) for each in readable], "unreadable": unreadable})
    elif readable:
        _print(readable)
    if unreadable:
        raise DataError("\n".join(unreadable))


def _as_json(found: "Prediction") -> dict[str, Any]:
    classes = [{"name": name, "probability": value} for name, value in found.classes]
    return {"path": str(found.path), "classes": classes}


def _print(found: list["Prediction"]) -> None:
    cells = [(str(p.path), *(f"{name} {value:.1%}" for name, value in p.classes[:3])) for p in found]
    ranks = ("first", "second", "third")[: len(cells[0]) - 1]
    output.print_table("predictions", ("picture", *ranks), cells)
