"""`vitlab report`: a run's records as one HTML page and as pictures."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab.cli import output
from vitlab.cli.options import JsonOption, RunArgument


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report", help="A run's history as one HTML page and as pictures.")(report)


def report(
    run: RunArgument,
    out: Annotated[Path | None, typer.Option("--out", help="The page. Default: RUN/report.html.")] = None,
    json: JsonOption = False,
) -> None:
    """Write the report."""
    from vitlab.report.page import write_run_report

    page = write_run_report(run, out or run / "report.html")
    if json:
        output.print_json({"report": str(page)})
    else:
        output.console().print(f"report: {page}")
