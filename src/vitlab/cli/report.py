"""`vitlab report`: the records of a run or a study as one HTML page and as pictures; or two, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.cli import output
from vitlab.cli.options import JsonOption
from vitlab.cli.study import say_answers


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report", help="A run's history or a study's answers as one HTML page; or a comparison of two.")(report)


def report(
    path: Annotated[Path, typer.Argument(metavar="RUN|STUDY", help="The directory of a run or of a study.")],
    other: Annotated[
        Path | None, typer.Argument(metavar="[OTHER]", help="Another one of the same kind, to compare with.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The page. Default: report.html in the directory; for two, against_OTHER.html."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write the report; of a study, print its answers, too."""
    from vitlab.base.going_on import going_on

    with going_on(output.console(quiet=json, stderr=True), "writing the report", at_once=False):
        page, outcome = api.reported(path, other, out)
    if json:
        output.print_json({"report": str(page)})
        return
    console = output.console()
    if outcome:
        say_answers(outcome, path, console)
    console.print(f"report: {page}")
