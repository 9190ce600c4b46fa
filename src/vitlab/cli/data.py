"""`vitlab data`: what there is in a data set, before anything is trained on it."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.base.words import first_few
from vitlab.cli import output
from vitlab.cli.options import JsonOption, SetOption, settings


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("data", help="Look at a data set: splits, classes, what is left out, what is odd.")(data)


def data(
    name: Annotated[
        str, typer.Argument(metavar="PATH|NAME", help="A folder, hub:ORG/NAME, or a set of `vitlab list data`.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a page with the classes and their first images (HTML).")
    ] = None,
    set_: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Print what a training on this set would find in it."""
    from vitlab.base.spec import to_dict

    changes = settings(set_, of="data", own=not Path(name).is_dir())
    output.waiting(json)
    look = api.look(name, changes, out)
    if json:
        output.print_json({**to_dict(look.found), "classes": list(look.classes), "unreadable": look.unreadable})
        return
    console = output.console()
    for told in look.found.told():
        console.print(told)
    unreadable = {split: first_few(names) for split, names in look.unreadable.items()}
    for split, lines in unreadable.items():
        for line in lines:
            console.print(f"unreadable, {split}: {line}")
    if unreadable != look.unreadable:
        console.print("--json lists every unreadable image")
    if look.page is not None:
        console.print(f"{look.page}: the classes and their first images")
