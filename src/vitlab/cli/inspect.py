"""`vitlab inspect`: a page of what goes on inside a trained model, or two."""

import re
from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.base.errors import UserError
from vitlab.cli import output
from vitlab.cli.knockout import followed
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, SetOption, TrustOption, settings

_MODELS = 2  # on a page, at most


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("inspect", help="A page of what goes on inside a trained model: where it looks, what each part does.")(
        inspect
    )


def inspect(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN|SOURCE|STUDY…",
            help="One or two: runs, or whatever `vitlab convert` takes; or a study, for a page of each of its cells.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The folder of the page. Default: `inside` in the run or study."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(
            "--images", metavar="FILE|FOLDER|N", help="Pictures to look at, or how many test images. Default: 8."
        ),
    ] = None,
    data: DataOption = None,
    test_images: Annotated[
        int,
        typer.Option("--test-images", min=0, metavar="N", help="Test images for knock-outs; 0: without."),
    ] = 1_000,
    set_: SetOption = None,
    device: DeviceOption = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Write it, and say where."""
    models, pictures = _apart(models, images or [])
    changes = settings(set_, of="data", own=True)
    waiting = output.waiting(json)
    output.load_torch(waiting)
    with followed(waiting, "knocking out" if test_images else "looking inside") as progress:
        page = api.inspect(
            models[0],
            out,
            models[1] if len(models) > 1 else None,
            images=pictures,
            data=data,
            test_images=test_images,
            device=device,
            settings=changes,
            say=waiting.print,
            progress=progress,
        )
    if json:
        output.print_json({"page": str(page)})
        return
    output.console().print(f"page: {page}")


def _apart(models: list[str], images: list[str]) -> tuple[list[str], list[str | Path] | int]:
    """The models, and the pictures, of which several may follow one --images; or how many test images.

    Raises UserError for more than two models.
    """
    more = [each for each in models if images and _is_picture(each)]
    models, images = [each for each in models if each not in more], [*images, *more]
    if not 1 <= len(models) <= _MODELS:
        raise UserError(f"{len(models)} models: one, or two side by side; pictures follow --images")
    if len(images) == 1 and re.fullmatch(r"-?\d{1,9}", images[0], re.ASCII):
        return models, int(images[0])
    return models, list(images) if images else api.SHOWN


def _is_picture(path: str) -> bool:
    """Whether it is a file, and none of weights."""
    from vitlab.names import kinds

    if not Path(path).is_file():
        return False
    try:
        kinds(path, ("checkpoint", "run"))
    except UserError:
        return True
    return False
