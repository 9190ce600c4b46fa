"""`vitlab train`: a recipe, or a spec of your own, to a finished run."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from vitlab import api
from vitlab.base.options import OPTIONS, made
from vitlab.cli import complete, output
from vitlab.cli.options import (
    FOLDER,
    MACHINE,
    SETTINGS,
    BatchSizeOption,
    CompileOption,
    DataOption,
    DeviceOption,
    EpochsOption,
    JsonOption,
    KernelOption,
    LrOption,
    MicroBatchOption,
    ModelOption,
    PrecisionOption,
    SetOption,
    StepsOption,
    TrustOption,
    settings,
)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("train", help="Train a recipe, or a spec of your own.")(train)


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE[:VARIANT]|SPEC.json", help="See `vitlab list recipes`.", autocompletion=complete.recipes
        ),
    ],
    model: ModelOption = None,
    data: DataOption = None,
    epochs: EpochsOption = None,
    steps: StepsOption = None,
    batch_size: BatchSizeOption = None,
    lr: LrOption = None,
    set_: SetOption = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar="SOURCE",
            help="Start from the weights of a run, a file, a folder, hub:ORG/NAME.",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="The run's seed.", rich_help_panel=SETTINGS)
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            "--seeds",
            min=1,
            max=1000,
            metavar="N",
            help="Train seeds 0 to N-1 at once, in OUT/seed-0, OUT/seed-1 …",
            rich_help_panel=SETTINGS,
        ),
    ] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    kernel: KernelOption = None,
    micro_batch: MicroBatchOption = None,
    threads: Annotated[
        int | None,
        typer.Option(
            OPTIONS["threads"], min=1, metavar="N", help="CPU threads. Default: all cores.", rich_help_panel=MACHINE
        ),
    ] = None,
    compiled: CompileOption = False,
    checkpointing: Annotated[
        bool,
        typer.Option(
            OPTIONS["checkpointing"],
            help="Blocks recompute their activations: less memory, a slower step.",
            rich_help_panel=MACHINE,
        ),
    ] = False,
    deterministic: Annotated[
        bool,
        typer.Option(
            OPTIONS["deterministic"],
            help="Bit-for-bit reproducible on a GPU too; on a CPU it always is.",
            rich_help_panel=MACHINE,
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="The run's folder. Default: runs/RECIPE.", rich_help_panel=FOLDER)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in OUT, or start it.", rich_help_panel=FOLDER)
    ] = False,
    save_steps: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Save a checkpoint every N steps.", rich_help_panel=FOLDER),
    ] = None,
    save_minutes: Annotated[
        float, typer.Option(min=0, metavar="N", help="Save a checkpoint every N minutes.", rich_help_panel=FOLDER)
    ] = 2.0,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard", help="Write TensorBoard events into the run's folder too.", rich_help_panel=FOLDER
        ),
    ] = False,
    trust: TrustOption = False,
    json: JsonOption = False,
) -> None:
    """Train, evaluate on the test split, and write the run's folder."""
    from vitlab.base.env import command
    from vitlab.base.errors import Interrupted
    from vitlab.names import check_recipe, is_recipe

    if not recipe.endswith(".json"):
        check_recipe(recipe)
    changes = settings(
        set_,
        own=not is_recipe(recipe),
        model=model,
        data=data,
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
    )
    folder = out or Path("runs") / Path(recipe.replace(":", "_")).stem
    choices = {
        "device": device,
        "precision": precision,
        "kernel": kernel,
        "micro_batch": micro_batch,
        "threads": threads,
        "compiled": compiled,
        "checkpointing": checkpointing,
        "deterministic": deterministic,
    }
    console = output.console(quiet=json)
    output.load_torch(console)
    try:
        results = api.train(
            recipe,
            folder,
            seeds=_seeds(seeds, seed),
            resume=resume,
            init=init,
            overrides=made(choices),
            checkpoints={"steps": save_steps, "seconds": 60 * save_minutes},
            tensorboard=tensorboard,
            console=console,
            settings=changes,
        )
    except Interrupted as stop:
        again = command([arg for arg in sys.argv if arg != "--resume"])
        console.print(f"{stop}: saved; continue with: {again} --resume", soft_wrap=True)  # to be copied
        raise typer.Exit(stop.code) from None
    if json:
        output.print_json(results[0] if seeds is None else {"runs": results})
    folders = [folder] if seeds is None else [folder / f"seed-{number}" for number in range(seeds)]
    for path in folders:
        console.print(f"{path}: {api.summary(path)}")
    if any(result["status"] == "failed" for result in results):
        raise typer.Exit(2)


def _seeds(seeds: int | None, seed: int | None) -> range | None:
    from vitlab.base.errors import UserError

    if seeds is None:
        return None
    if seed:
        raise UserError(f"--seed {seed} and --seeds {seeds}: --seeds trains seeds 0 to {seeds - 1}")
    return range(seeds)
