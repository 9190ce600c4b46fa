"""`vitlab predict`: what a trained model says of pictures."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab import api
from vitlab.cli import output
from vitlab.cli.options import DeviceOption, JsonOption, TrustOption

if TYPE_CHECKING:
    from rich.console import Console

    from vitlab.predict import Prediction


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("predict", help="Classify pictures with a trained model.")(predict)


def predict(
    run: Annotated[str, typer.Argument(metavar="RUN|SOURCE", help="A run, or whatever `vitlab convert` takes.")],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE|FOLDER…", help="Pictures, or folders of them.")],
    top: Annotated[int, typer.Option("--top", min=1, metavar="N", help="Classes of each picture.")] = 5,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A table of all pictures, .csv or .parquet.")
    ] = None,
    device: DeviceOption = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print the most probable classes of every picture, or write a table; the unreadable are named at the end."""
    from vitlab.base.errors import DataError

    waiting = output.waiting(json)
    arriving = api.predictions(run, images, top, device, out)
    for note in arriving.notes:
        waiting.print(note)
    predictions = list(_followed(arriving.predictions, arriving.total, waiting))
    readable = [prediction for prediction in predictions if prediction.reason is None]
    unreadable = [f"{file.path} is unreadable: {file.reason}" for file in predictions if file.reason is not None]
    if out is not None:
        api.write_predictions(predictions, out, top)
    if json:
        output.print_json({"predictions": [_as_json(prediction) for prediction in readable], "unreadable": unreadable})
    elif out is not None:
        output.console().print(
            f"{out}: {len(readable):,} pictures" + (f", {len(unreadable):,} unreadable" if unreadable else "")
        )
    elif readable:
        _print(readable, top)
    if unreadable:
        raise DataError("\n".join(unreadable))


def _followed(predictions: "Iterator[Prediction]", total: int, console: "Console") -> "Iterator[Prediction]":
    """The same, with a bar on a terminal and a line now and then elsewhere."""
    from rich.progress import Progress

    from vitlab.base.going_on import Heartbeat

    done = 0
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    with bar, Heartbeat(console, lambda: f"classifying: {done:,} of {total:,} pictures"):
        task = bar.add_task("classifying", total=total)
        for prediction in predictions:
            done += 1
            bar.advance(task)
            yield prediction


def _as_json(prediction: "Prediction") -> dict[str, Any]:
    classes = [{"name": name, "probability": value} for name, value in prediction.classes]
    return {"path": str(prediction.path), "classes": classes}


def _print(predictions: "Sequence[Prediction]", top: int) -> None:
    cells = [(p.path, *(f"{name} {value:.1%}" for name, value in p.classes)) for p in predictions]
    ranks = ("first", "second", "third", *(f"{place}th" for place in range(4, top + 1)))[: len(cells[0]) - 1]
    output.print_table("predictions", ("picture", *ranks), cells)
