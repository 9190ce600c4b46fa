"""`vitlab bench`: speed and memory, in turn with other libraries, as ratios taken in one run."""

from typing import Annotated

import typer

from vitlab.cli import output
from vitlab.cli.options import DeviceOption, JsonOption

bench = typer.Typer(help="Speed and memory, in turn with other libraries.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(bench, name="bench")
