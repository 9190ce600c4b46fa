"""`vitlab train`: a recipe, or a spec of your own, to a finished run."""

import json as json_
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, SetOption, settings

if TYPE_CHECKING:
    from vitlab.train.spec import RunSpec


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("train", help="Train a recipe, or a spec of your own.")(train)


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE[:VARIANT]|SPEC.json", help="See `vitlab list recipes`.")],
    out: Annotated[Path | None, typer.Option("--out", help="The run's folder. Default: runs/RECIPE.")] = None,
    data: DataOption = None,
    set_: SetOption = None,
    init: Annotated[Path | None, typer.Option("--init", help="Start from these weights.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The run's seed.")] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=1, help="Train seeds 0 to N-1 at once, in OUT/seed-0, OUT/seed-1 …")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in OUT stopped, or start it.")] = False,
    device: DeviceOption = None,
    precision: Annotated[str | None, typer.Option(help="fp32, bf16 or fp64. Default: the fastest here.")] = None,
    kernel: Annotated[str | None, typer.Option(help="Attention: fused or explicit. Default: the fastest here.")] = None,
    micro_batch: Annotated[int | None, typer.Option(min=1, help="Images at once; the result stays the same.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. Default: all cores.")] = None,
    compile: Annotated[bool, typer.Option("--compile", help="Compile the model with torch.compile.")] = False,
    checkpointing: Annotated[
        bool, typer.Option("--checkpointing", help="Blocks recompute their activations: less memory, a slower step.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="On a GPU: a step's kernels are recorded and replayed. On trial.")
    ] = False,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The same bits every time on a GPU too; a CPU gives them anyway.")
    ] = False,
    save_steps: Annotated[int | None, typer.Option(min=1, help="Save a checkpoint every so many steps.")] = None,
    save_minutes: Annotated[float, typer.Option(min=0, help="Save a checkpoint every so many minutes.")] = 2.0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard events into the run's folder too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Train, evaluate on the test split, and write the run's folder."""
    from vitlab.base.env import command
    from vitlab.base.spec import from_dict
    from vitlab.train.choices import Wishes
    from vitlab.train.interrupt import Interrupted
    from vitlab.train.run import train as train_runs
    from vitlab.train.session import Saving

    spec = _spec(recipe, data, settings(set_), seed)
    folder = out or Path("runs") / Path(recipe.replace(":", "_")).stem
    specs, folders = _runs(spec, folder, seeds)
    asked = {"device": device, "precision": precision, "kernel": kernel, "micro_batch": micro_batch, "threads": threads}
    flags = {"compiled": compile, "checkpointing": checkpointing, "deterministic": deterministic, "replayed": replay}
    console = output.console(quiet=json)
    try:
        results = train_runs(
            specs,
            folders,
            recipe=recipe,
            wishes=from_dict(Wishes, asked | {name: True for name, given in flags.items() if given}),
            saving=Saving(save_steps, 60 * save_minutes, tensorboard),
            resume=resume,
            init=init,
            console=console,
        )
    except Interrupted as stop:
        again = command([arg for arg in sys.argv if arg != "--resume"])
        console.print(f"{stop}: saved; go on with: {again} --resume")
        raise typer.Exit(stop.code) from None
    if json:
        output.print_json(results[0] if seeds is None else {"runs": results})
    for path, result in zip(folders, results, strict=True):
        console.print(f"{path}: {_summary(result)}")
    if any(result["status"] == "failed" for result in results):
        raise typer.Exit(2)


def _summary(result: dict[str, Any]) -> str:
    metrics = result["metrics"]
    if result["status"] == "failed":
        return f"failed: {result['reason']}"
    return f"test top-1 {output.percent(metrics['test_top1'])}, {metrics['train_seconds']} s"


def _spec(recipe: str, data: str | None, changes: dict[str, Any], seed: int | None) -> "RunSpec":
    from vitlab.base.errors import UserError
    from vitlab.base.spec import from_dict
    from vitlab.recipes import changed
    from vitlab.recipes import recipe as named
    from vitlab.train.spec import RunSpec

    if recipe.endswith(".json"):
        try:
            values = json_.loads(Path(recipe).read_text())
        except (OSError, ValueError) as error:
            raise UserError(f"{recipe}: {error}") from None
        if not isinstance(values, dict):
            raise UserError(f"{recipe}: expected a JSON object with a run's settings")
        spec = from_dict(RunSpec, values.get("spec", values))
    else:
        spec = named(recipe)
    own = {"data": data} if data else {}
    return changed(spec, own | changes | ({} if seed is None else {"seed": seed}))


def _runs(spec: "RunSpec", folder: Path, seeds: int | None) -> tuple[list["RunSpec"], list[Path]]:
    from dataclasses import replace

    from vitlab.base.errors import UserError

    if seeds is None:
        return [spec], [folder]
    if spec.seed != 0:
        raise UserError(f"--seed {spec.seed} and --seeds {seeds}: --seeds trains seeds 0 to {seeds - 1}")
    return [replace(spec, seed=s) for s in range(seeds)], [folder / f"seed-{s}" for s in range(seeds)]
