"""`vitlab predict`: what a trained model says of pictures."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption, RunArgument


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("predict", help="What a trained model says of pictures.")(predict)


def predict(
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER…", help="Pictures, or folders of them.")],
    json: JsonOption = False,
) -> None:
    """Print the most probable classes of every picture."""
    from vitlab.base.records import read_field
    from vitlab.base.spec import from_dict
    from vitlab.checkpoints.model import load
    from vitlab.evaluate import pictures
    from vitlab.train.spec import RunSpec

    task = from_dict(RunSpec, read_field(run / "spec.json", "spec")).task
    model, preprocessing = load(run)
    found = list(pictures.predict(model, preprocessing, task, pictures.find(images)))
    if json:
        rows = [{"path": str(p.path), "classes": [{"name": n, "probability": v} for n, v in p.classes]} for p in found]
        output.print_json({"predictions": rows})
        return
    cells = [(str(p.path), *(f"{name} {value:.1%}" for name, value in p.classes[:3])) for p in found]
    ranks = ("first", "second", "third")[: len(cells[0]) - 1]
    output.print_table("predictions", ("picture", *ranks), cells)
