"""`vitlab demo`: train on the bundled digits, print the result, save it with pictures of predictions."""

from pathlib import Path
from typing import Annotated

import typer

from vitlab.cli import output


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo", help="The main job on the bundled digits, in a minute: train, report.")(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", help="Where the run goes.")] = Path("demo"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the demo in OUT stopped.")] = False,
) -> None:
    """Train the digits recipe and write its report."""
    from vitlab.recipes import recipe
    from vitlab.report.page import write_run_report
    from vitlab.train.interrupt import Interrupted
    from vitlab.train.run import train

    console = output.console()
    try:
        (result,) = train([recipe("digits")], [out], recipe="digits", resume=resume, console=console)
    except Interrupted as stop:
        console.print(f"{stop}: saved; go on with: vitlab demo --out {out} --resume")
        raise typer.Exit(stop.code) from None
    page = write_run_report(out, out / "report.html")
    metrics = result["metrics"]
    console.print(f"\ntest accuracy {output.percent(metrics['test_top1'])} on 360 digits never trained on")
    console.print(f"{output.count(metrics['num_params'])} parameters, {metrics['train_seconds']:.0f} s of training")
    console.print(f"report with curves, confusion matrix and the worst mistakes: {page}")
