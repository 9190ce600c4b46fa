"""`vitlab evaluate`: a run's score on a test split, from its checkpoint."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab import api
from vitlab.base.words import counted, some
from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, SetOption, TrustOption, settings

if TYPE_CHECKING:
    from vitlab.evaluate._checkpoint import Score
    from vitlab.stats.by_class import ClassRecall

_SHOWN = 3  # classes with the lowest recall


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate", help="A run's score on a test split, from its checkpoint.")(evaluate)


def _size(text: str) -> tuple[int, int]:
    """'384' or '256x192'"""
    from vitlab.base.errors import UserError

    sides = [int(side) for side in text.split("x") if side.isascii() and side.isdigit() and int(side)]
    if len(sides) != text.count("x") + 1 or len(sides) > len(("rows", "columns")):
        raise UserError(f"--img-size {text}: expected a number of pixels, or two as in 256x192")
    return sides[0], sides[-1]


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN|SOURCE", help="A run, or whatever `vitlab convert` takes.")],
    data: DataOption = None,
    among: Annotated[
        str, typer.Option("--among", help="Classify among all classes of the model, or those present in the data.")
    ] = "all",
    img_size: Annotated[
        str | None,
        typer.Option(
            "--img-size", metavar="N|ROWSxCOLUMNS", help="Images of another size, which the model is resized to."
        ),
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option("--positions", metavar="HOW", help="With --img-size, computed ones: stretched or run_on."),
    ] = None,
    interpolation: Annotated[
        str | None,
        typer.Option("--interpolation", metavar="HOW", help="With --img-size, of tables: bicubic or bilinear."),
    ] = None,
    antialias: Annotated[
        bool | None, typer.Option("--antialias/--no-antialias", help="With --img-size, of tables. Default: yes.")
    ] = None,
    set_: SetOption = None,
    device: DeviceOption = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print what the run's task measures of the test images: of a classification top-1, top-5, balanced accuracy and
    the loss; and the lowest recalls of its classes.
    """
    from vitlab.base.errors import UserError
    from vitlab.base.going_on import Heartbeat

    if among not in ("all", "present"):
        raise UserError(f"--among {among}; legal: all, present")
    changes, size = settings(set_, of="data", own=True), None if img_size is None else _size(img_size)
    how = {"positions": positions, "interpolation": interpolation, "antialias": antialias}
    resizing = {name: value for name, value in how.items() if value is not None}
    waiting = output.waiting(json)
    waiting.print(f"evaluating {run} …")
    with Heartbeat(waiting, lambda: f"evaluating {run} …"):
        score = api.evaluate(run, data, device, among, changes, size, resizing)  # type: ignore[arg-type]  # among: one of the two
    if json:
        output.print_json(
            {
                **score.values,
                "data": score.data,
                "notes": score.notes,
                "images": score.images,
                "classes": len(score.classes),
                "among": among,
                "majority": score.majority and score.majority._asdict(),
                "by_class": {each.name: _values(each) for each in score.by_class},
            }
        )
        return
    shown = sorted(score.metrics, key=lambda name: not score.metrics[name].is_fraction)  # accuracies first
    told = ", ".join(f"{score.metrics[name].title} {score.metrics[name].written(score.values[name])}" for name in shown)
    console = output.console()
    for line in score.notes:
        console.print(line)
    for line in score.data:
        console.print(f"data: {line}")
    console.print(f"{score.images} images{_among(score)}: {told}")
    if score.majority:
        name, share = score.majority
        console.print(f"always saying {name} would be right in {output.percent(share)}")
    for line in _lowest(score):
        console.print(line)


def _among(score: "Score") -> str:
    """What is to be said where the data do not have all classes of the model."""
    if len(score.classes) == len(score.known):
        return ""
    among = "these alone" if score.among == "present" else f"all {len(score.known)} of the model"
    missing = some([name for name in score.known if name not in score.classes])
    return f" of {counted(len(score.classes), 'class', 'classes')} ({missing} missing), classified among {among}"


def _lowest(score: "Score") -> Iterator[str]:
    """The lowest recalls, where there are several classes."""
    if len(score.by_class) > 1:
        yield "lowest recall by class:"
        lowest = sorted(score.by_class, key=lambda each: each.recall)[:_SHOWN]
        width = max(len(each.name) for each in lowest)
        for each in lowest:
            mistaken = f", most often taken for {each.taken_for}" if each.taken_for is not None else ""
            images = counted(each.images, "image")
            yield f"  {each.name:{width}}  {output.percent(each.recall):>8} of {images}{mistaken}"


def _values(each: "ClassRecall") -> dict[str, Any]:
    """A class as JSON has it, with the interval of its recall."""
    interval = {"low": each.interval.low, "high": each.interval.high}
    mistakes = {"taken_for": each.taken_for, "mistaken": each.mistaken}
    return {"images": each.images, "right": each.right, "recall": each.recall, **interval, **mistakes}
