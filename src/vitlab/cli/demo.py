"""`vitlab demo`: the main job on the bundled digits, a small study and its report."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab.cli import output, study


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo", help="A small study on the bundled digits, in minutes: what do a ViT's components do?")(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", help="The study's folder; finished runs are kept.")] = Path("demo"),
) -> None:
    """Train a small study, answer in the terminal, write the report."""
    output.console().print("Each part is changed alone, and trained with six seeds; the baseline with more.")
    study.run("demo", out)
