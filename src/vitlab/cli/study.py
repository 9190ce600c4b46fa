"""`vitlab study`: train a study's cells with paired seeds, and say what the differences mean."""

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab.cli import output
from vitlab.cli.options import DeviceOption, JsonOption, SetOption, settings

if TYPE_CHECKING:
    from vitlab.study.choosing import Asked
    from vitlab.study.forecast import Forecast
    from vitlab.study.outcome import Outcome
    from vitlab.study.plan import PlannedCell
    from vitlab.study.spec import StudySpec
    from vitlab.train.choices import Wishes

FileArgument = Annotated[str, typer.Argument(metavar="FILE.py[:FUNCTION]|FILE.json", help="See `vitlab list studies`.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("study", help="What does a component do? Cells with paired seeds, compared, as a report.")(study)


def study(
    file: FileArgument,
    out: Annotated[Path | None, typer.Option("--out", help="The study's folder. Default: runs/FILE.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Trainings of each cell. Default: as the file says.")] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes at once, which share the cores. Default: the fastest."),
    ] = None,
    stack: Annotated[
        bool | None, typer.Option("--stack/--no-stack", help="Stack runs in one process. Default: the fastest.")
    ] = None,
    set_: SetOption = None,
    device: DeviceOption = None,
    precision: Annotated[str | None, typer.Option(help="fp32, bf16 or fp64, of all cells.")] = None,
    micro_batch: Annotated[int | None, typer.Option(min=1, help="Images at once; the result stays the same.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try failed runs again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and cost every cell; train nothing.")] = False,
    json: JsonOption = False,
) -> None:
    """Train what is missing, write study.json and report.html, print the answers. The command can be repeated."""
    from vitlab.base.spec import from_dict
    from vitlab.study.files import adjusted, read_study
    from vitlab.train.choices import Wishes

    found = adjusted(read_study(file), settings(set_), seeds)
    wishes = from_dict(Wishes, {"device": device, "precision": precision, "micro_batch": micro_batch})
    if dry_run:
        _plan(found, wishes, jobs, stack, json)
        return
    folder = out or Path("runs") / re.sub(r"\.(py|json)", "", Path(file).name).replace(":", "_")
    outcome = run(found, folder, wishes=wishes, jobs=jobs, stack=stack, retry=retry, quiet=json)
    if json:
        output.print_json({"study": asdict(outcome), "report": str(folder / "report.html")})
    if any(each.status == "failed" for cell in outcome.cells for each in cell.runs):
        raise typer.Exit(2)


def run(found: "StudySpec", folder: Path, *, quiet: bool = False, **how: Any) -> "Outcome":
    """Train, report, and print the answers for people; what a signal stops can be gone on with."""
    from vitlab.base.env import command
    from vitlab.report.answers import answers
    from vitlab.report.study import write_study_report
    from vitlab.study.launch import run_study
    from vitlab.train.interrupt import Interrupted

    console = output.console(quiet=quiet)
    try:
        outcome = run_study(found, folder, console=console, **how)
    except Interrupted as stop:
        console.print(f"{stop}: saved; go on with: {command(sys.argv)}")
        raise typer.Exit(stop.code) from None
    page = write_study_report(folder, folder / "report.html")
    console.print(f"\n{found.question}")
    for sentence in answers(outcome):
        console.print(f"  {sentence}")
    console.print(f"report: {page}")
    return outcome


# ------------------------------------------------------------------------------------------------------------- dry run


def _plan(found: "StudySpec", wishes: "Wishes", jobs: int | None, stack: bool | None, json: bool) -> None:
    """Print every cell with what it costs; nothing is trained."""
    from vitlab.study.choosing import Asked
    from vitlab.study.forecast import forecast, runs_of
    from vitlab.study.plan import plan

    planned = plan(found)
    asked = Asked(planned, wishes, jobs, stack)
    expected = forecast(planned, asked)
    runs = sum(runs_of(planned, cell) for cell in planned.cells)
    if json:
        cells = [_costs(cell) for cell in planned.cells]
        output.print_json({"cells": cells, "runs": runs, "seconds": expected.seconds, "measured": expected.measured})
        return
    columns = ("cell", "parameters", "FLOPs / image", "steps", "images seen", "training FLOPs")
    output.print_table(found.question, columns, [_row(cell) for cell in planned.cells])
    output.console().print(f"{len(planned.cells)} cells, {runs} runs; {_time(expected, asked)}")


def _costs(cell: "PlannedCell") -> dict[str, Any]:
    from vitlab.base.spec import plain

    spec, steps = cell.candidates[0].spec, cell.steps
    return {
        "name": cell.cell.name,
        "settings": plain(cell.cell.settings),
        "num_params": cell.cost.num_params,
        "flops": cell.cost.flops,
        "steps": steps,
        "images_seen": None if steps is None else steps * spec.batch_size,
        "training_flops": None if steps is None else steps * cell.step_flops,
    }


def _row(cell: "PlannedCell") -> tuple[str, ...]:
    costs = _costs(cell)
    exact = [costs[name] for name in ("num_params", "flops", "steps", "images_seen")]
    training = costs["training_flops"]
    return (
        costs["name"],
        *("–" if value is None else output.count(value) for value in exact),
        "–" if training is None else f"{training:.2e}",
    )


def _time(expected: "Forecast", asked: "Asked") -> str:
    from vitlab.study.progress import roughly

    if expected.seconds is None:
        return "how long they take follows from the data's size, which is not known before it is read"
    basis = "as measured here" if expected.measured else "roughly, by FLOPs: it may be a third or thrice of that"
    return f"about {roughly(expected.seconds)} on {asked.rule.device}, {basis}"
