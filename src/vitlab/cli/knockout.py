"""`vitlab knockout`: what a trained model loses without each of its parts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from vitlab import api
from vitlab.base.durations import roughly
from vitlab.base.words import counted
from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, SetOption, TrustOption, settings

if TYPE_CHECKING:
    from rich.console import Console

    from vitlab.api.insides import Knockouts, Progress
    from vitlab.interpret.knockout.outcome import Effect, KnockoutOutcome

_SHOWN = 15  # knock-outs in the table for people
_REPLACEMENTS = ("zero", "mean", "resample")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("knockout", help="What a trained model loses without each of its parts.")(knockout)


def knockout(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN|SOURCE", help="A run, a folder of seeds, or whatever `vitlab convert` takes."),
    ],
    data: DataOption = None,
    replacement: Annotated[
        str, typer.Option("--replace", help="What stands in a part's place: zero, its mean over images, or resample.")
    ] = "zero",
    images: Annotated[
        int | None,
        typer.Option("--images", min=2, metavar="N", help="So many test images, evenly spaced. Default: all."),
    ] = None,
    set_: SetOption = None,
    device: DeviceOption = None,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Print the parts whose loss costs most, heads by layer, and how many heads can go."""
    from vitlab.base.errors import UserError

    if replacement not in _REPLACEMENTS:
        raise UserError(f"--replace {replacement}; legal: {', '.join(_REPLACEMENTS)}")
    changes = settings(set_, of="data", own=True)
    waiting = output.waiting(json)
    output.load_torch(waiting)
    with followed(waiting, "knocking out") as progress:
        found = api.knockout(
            run,
            data,
            replacement=replacement,  # type: ignore[arg-type]  # one of these
            device=device,
            settings=changes,
            images=images,
            progress=progress,
        )
    if json:
        output.print_json(found.as_json())
        return
    _print(run, found)


@contextmanager
def followed(console: "Console", doing: str) -> "Iterator[Progress]":
    """What share is done and how long the rest takes, on a terminal as a bar."""
    from rich.progress import Progress, TimeRemainingColumn

    from vitlab.base.going_on import Heartbeat

    begun, share = time.monotonic(), 0.0

    def told() -> str:
        if share >= 1:
            return "going on …"
        left = (time.monotonic() - begun) * (1 - share) / share if share else None
        return f"{doing}: {share:.0%}" + ("" if left is None else f", {roughly(left)} left")

    bar = Progress(
        *Progress.get_default_columns()[:-1],
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar, Heartbeat(console, told):
        task = bar.add_task(doing, total=1.0)

        def progress(done: float) -> None:
            nonlocal share
            share = done
            bar.update(task, completed=done)

        yield progress


def _print(run: str, found: "Knockouts") -> None:
    outcome, console = found.outcome, output.console()
    over = "images" if outcome.runs == 1 else f"images and {outcome.runs} seeds"
    console.print(
        f"{run}: top-1 {outcome.top1:.2%}, {counted(outcome.images, 'image')}; {counted(len(outcome.effects), 'part')} "
        f"knocked out, replaced by {outcome.replacement}\n"
    )
    columns = ("part", "kind", "top-1, points", f"95 % over {over}", "p adjusted", "loss, nats", "same answer")
    output.print_table("what costs most", columns, [_row(effect) for effect in outcome.effects[:_SHOWN]])
    if len(outcome.effects) > _SHOWN:
        console.print(f"and {len(outcome.effects) - _SHOWN} more: --json")
    _print_heads(outcome)
    if found.curve is not None:
        heads, gone = len(found.curve.order), found.curve.removable
        console.print(
            f"\n{gone} of {counted(heads, 'head')} can go, the least harmful first, before more than a point is lost."
        )
    ratio = outcome.blocks / outcome.needed
    console.print(f"Blocks computed: {outcome.blocks:,}, {ratio:.2f} × what it takes where prefixes are reused.")
    if found.curve is not None:
        console.print(f"For how many heads can go: {found.curve.blocks:,} more.")


def _row(effect: "Effect") -> tuple[str, ...]:
    points = f"{100 * effect.delta_top1:+.2f}"
    interval = f"[{100 * effect.low:+.2f}, {100 * effect.high:+.2f}]"
    p = "< .001" if effect.p_adjusted < 0.0005 else f"{effect.p_adjusted:.3f}"
    return effect.site, effect.kind, points, interval, p, f"{effect.delta_loss:+.3f}", f"{effect.agreement:.1%}"


def _print_heads(outcome: "KnockoutOutcome") -> None:
    """A row a layer and a column a head, in points."""
    heads: dict[str, list[tuple[int, float]]] = {}
    for effect in outcome.effects:
        if effect.kind == "head":
            site, _, head = effect.site.rpartition(".z.")
            heads.setdefault(site, []).append((int(head), effect.delta_top1))
    if not heads:
        return
    ordered = sorted(heads.items(), key=lambda item: [int(part) for part in item[0].split(".") if part.isdigit()])
    rows = [(site, *(f"{100 * delta:+.1f}" for _, delta in sorted(row))) for site, row in ordered]
    columns = ("", *(f"head {head}" for head in range(max(map(len, rows)) - 1)))
    output.console().print()
    output.print_table("top-1 without a head, points", columns, rows)
