"""`vitlab study`: train a study's cells with the same seeds, and say what the differences mean."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab import api
from vitlab.base.options import made
from vitlab.base.words import first_few
from vitlab.cli import complete, output
from vitlab.cli.options import (
    FOLDER,
    MACHINE,
    SETTINGS,
    BatchSizeOption,
    DataOption,
    DeviceOption,
    EpochsOption,
    JsonOption,
    LrOption,
    MicroBatchOption,
    ModelOption,
    PrecisionOption,
    SetOption,
    StepsOption,
    TrustOption,
    settings,
)

if TYPE_CHECKING:  # a verb knows the types of what it prints, and imports nothing of them
    from rich.console import Console

    from vitlab.records.outcome import Outcome
    from vitlab.study.plan import PlannedCell
    from vitlab.study.spec import StudySpec

WHAT = "NAME[:FUNCTION], see `vitlab list studies`; or a file of your own, FILE.py[:FUNCTION] or FILE.json."


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("study", help="Train variants with several seeds, compare them, and write a report.")(study)


def study(
    what: Annotated[str, typer.Argument(metavar="STUDY", help=WHAT, autocompletion=complete.studies)],
    model: ModelOption = None,
    data: DataOption = None,
    epochs: EpochsOption = None,
    steps: StepsOption = None,
    batch_size: BatchSizeOption = None,
    lr: LrOption = None,
    set_: SetOption = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Seeds of each cell. Default: as the study says.", rich_help_panel=SETTINGS
        ),
    ] = None,
    verdicts: Annotated[
        bool | None,
        typer.Option(
            "--verdicts/--no-verdicts",
            help="Whether differences are tested, which takes enough seeds. Default: as the study says, yes.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Parallel processes, which share the cores. Default: whatever is fastest.",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    stack: Annotated[
        bool | None,
        typer.Option(
            "--stack/--no-stack",
            help="Several runs in one process. Default: the fastest.",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    on: Annotated[
        str,
        typer.Option(
            "--on",
            metavar="NAME|JSON",
            help="Where the runs are trained: an executor's name, or its settings.",
            rich_help_panel=MACHINE,
        ),
    ] = "local",
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    micro_batch: MicroBatchOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The study's folder. Default: runs/FILE.", rich_help_panel=FOLDER)
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try failed runs again.", rich_help_panel=FOLDER)] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every cell, show its cost; train nothing.")] = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Train what is missing, write study.json and report.html, print the answers. The command can be repeated."""
    from vitlab.names import check_study, ships_study

    check_study(what)
    overrides = made({"device": device, "precision": precision, "micro_batch": micro_batch})
    changes = settings(
        set_,
        own=not ships_study(what),
        model=model,
        data=data,
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
    )
    how: dict[str, Any] = {"seeds": seeds, "verdicts": verdicts, "jobs": jobs, "stack": stack, "overrides": overrides}
    how |= {"on": _executor(on), "settings": changes}
    if dry_run:
        _plan(api.plan_study(what, console=output.console(quiet=json), **how), json)
        return
    folder = out or Path("runs") / re.sub(r"\.(py|json)", "", Path(what).name).replace(":", "_")
    outcome = run(what, folder, quiet=json, retry=retry, **how)
    if json:
        output.print_json({"study": outcome.values(), "report": str(folder / "report.html")})
    if any(run.status == "failed" for cell in outcome.cells for run in cell.runs):
        raise typer.Exit(2)


def _executor(text: str) -> Any:
    """An executor's name, or its settings in JSON."""
    from vitlab.base.spec import parse_setting

    return parse_setting(f"on={text}")[1]


def run(what: "str | StudySpec", folder: Path, *, quiet: bool = False, **how: Any) -> "Outcome":
    """Train, report, and print the answers for people; what a signal stops can be gone on with."""
    from vitlab.base.env import command
    from vitlab.base.errors import Interrupted

    console = output.console(quiet=quiet)
    output.load_torch(console)
    try:
        outcome = api.study(what, folder, console=console, **how)
    except Interrupted as stop:
        console.print(f"{stop}: saved; continue with: {command(sys.argv)}", soft_wrap=True)  # to be copied
        raise typer.Exit(stop.code) from None
    console.print()
    say_answers(outcome, folder, console)
    console.print(f"report: {folder / 'report.html'}")
    return outcome


def say_answers(outcome: "Outcome", folder: Path, console: "Console") -> None:
    """The question, what is answered, what failed, and what would decide more."""
    console.print(outcome.question)
    for sentence in api.answers(outcome):
        console.print(f"  {sentence}")
    _say_what_failed(outcome, console)
    if again := api.command_to_decide(outcome, folder):
        console.print(f"to decide what is suggestive and not shown: {again}", soft_wrap=True)


def _say_what_failed(outcome: "Outcome", console: "Console") -> None:
    """The failed runs with their reasons, and how they are tried again."""
    failed = [
        f"{cell.name}, seed {run.seed}: {(run.reason or '').partition(chr(10))[0]}"
        for cell in outcome.cells
        for run in cell.runs
        if run.status == "failed"
    ]
    if failed:
        console.print("failed; where the cause is gone, --retry tries them again:")
        for line in first_few(failed):
            console.print(f"  {line}")


# ------------------------------------------------------------------------------------------------------------- dry run


def _plan(planned: api.PlannedStudy, json: bool) -> None:
    """Print every cell with what it costs; nothing is trained."""
    cells, expected = planned.plan.cells, planned.forecast
    if json:
        costs = [_costs(cell) for cell in cells]
        output.print_json(
            {"cells": costs, "runs": planned.runs, "seconds": expected.seconds, "measured": expected.measured}
        )
        return
    columns = ("cell", "parameters", "FLOPs/image", "steps", "images", "training FLOPs")
    output.print_table(planned.plan.study.question, columns, [_row(cell) for cell in cells])
    output.console().print(f"{len(cells)} cells, {planned.runs} runs; {_time(planned)}")


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


def _time(planned: api.PlannedStudy) -> str:
    from vitlab.base.durations import roughly

    expected = planned.forecast
    if not planned.constraints.here:
        return "how long they take depends on where they are trained"
    if expected.seconds is None:
        return "the time depends on the size of the data, which is not known before the data is read"
    basis = "measured on this machine" if expected.measured else "estimated from FLOPs; may be wrong by a factor of 3"
    return f"about {roughly(expected.seconds)} on {planned.constraints.rule.device}, {basis}"
