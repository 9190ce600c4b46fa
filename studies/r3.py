"""R3's comparison: VIT, VITL and VITX on CIFAR-10, trained one after the other and drawn together.

    python studies/r3.py --out runs/r3 --seeds 3      the published settings: 40 epochs each; for a GPU
    python studies/r3.py --out runs/r3_short --short  one pass over 10,000 images each; for a CPU

Finished trainings are skipped and interrupted ones go on, so the command can be repeated. It writes `together_*.png`,
the curves of accuracy and latency as the original shows them, and prints the three side by side.
"""

from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.base.spec import parse_setting
from vitlab.cli import output
from vitlab.reference import r3
from vitlab.report.run import RunRecord, read_run
from vitlab.report.together import draw_together

SYSTEMS = {system.row.rpartition("/")[2]: system for system in r3.SYSTEMS}
SHORT = {  # every image is seen once; the curve is of 1,000 images kept out, the test images are read once, at the end
    "epochs": None,
    "steps": 79,
    "val_fraction": 0.02,
    "evaluate_every": 0.05,
    "test_every_epoch": False,
}


def main(
    out: Annotated[Path, typer.Option(help="A folder for the runs and the picture.")],
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each system.")] = 1,
    short: Annotated[bool, typer.Option("--short", help="One pass over 10,000 images instead of 40 epochs.")] = False,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A setting of all three, PATH=VALUE.")] = None,
) -> None:
    """Train, draw, print."""
    settings = (SHORT if short else {}) | dict(map(parse_setting, set_ or []))
    systems = {name: train(str(SYSTEMS[name].recipe), out / name.lower(), seeds, settings) for name in SYSTEMS}
    drawings = draw_together(systems, out)
    rows = [row(name, run) for name, runs in systems.items() for run in runs]
    columns = ("system, seed", "parameters", "train loss", "test loss", "test top-1 %", "published %", "s / epoch")
    output.print_table("R3 on CIFAR-10", columns, rows)
    output.console().print(f"pictures of {len(drawings)} quantities: {out}/together_*.png")


def train(named: str, folder: Path, seeds: int, settings: dict) -> list[RunRecord]:
    """The finished runs of one system."""
    places = [folder / f"seed-{seed}" for seed in range(seeds)]
    for seed, place in enumerate(places):
        output.console().print(f"{named}, seed {seed}")
        api.train(named, place, resume=True, **settings, seed=seed)
    return [read_run(place) for place in places]


def row(name: str, run: RunRecord) -> tuple[str, ...]:
    """One line of the table."""
    found = run.metrics
    numbers = (found.get("train_loss"), found.get("test_loss"))
    return (
        f"{name}, {run.spec['seed']}",
        output.count(found["num_params"] or 0),
        *("–" if value is None else f"{value:.4f}" for value in numbers),
        output.percent(found.get("test_top1")).removesuffix(" %"),
        f"{SYSTEMS[name].published[0].value}",
        f"{found['seconds_per_epoch']:.1f}",
    )


if __name__ == "__main__":
    typer.run(main)
