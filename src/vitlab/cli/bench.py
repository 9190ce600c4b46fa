"""`vitlab bench`: speed and memory, in turn with other libraries, as ratios taken in one run."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import typer

from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, SetOption, settings

bench = typer.Typer(help="Speed and memory, in turn with other libraries.", no_args_is_help=True)

ModelOption = Annotated[str, typer.Option("--model", help="A preset.")]
BatchOption = Annotated[int, typer.Option("--batch", min=1, help="Images at once.")]
RoundsOption = Annotated[int, typer.Option("--rounds", min=1, help="Rounds in which everybody takes a turn.")]
AgainstOption = Annotated[str, typer.Option("--against", help="Peers, e.g. timm,transformers,vit_pytorch.")]
CompileOption = Annotated[bool, typer.Option("--compile", help="Let everybody use torch.compile.")]
PrecisionOption = Annotated[str | None, typer.Option(help="vitlab's precision. Default: the fastest here.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(bench, name="bench")


def _verb(mode: Literal["train", "infer"]) -> Callable[..., None]:
    """`vitlab bench train` and `vitlab bench infer` differ in what is timed and in nothing else."""

    def contest(
        against: AgainstOption = "timm,transformers,vit_pytorch",
        model: ModelOption = "r0_vit",
        batch: BatchOption = 128,
        rounds: RoundsOption = 5,
        device: DeviceOption = None,
        precision: PrecisionOption = None,
        compile: CompileOption = False,
        json: JsonOption = False,
    ) -> None:
        from vitlab.base.spec import from_dict
        from vitlab.bench.versus import versus
        from vitlab.bench.work import Job
        from vitlab.models.vit import preset
        from vitlab.train.choices import Wishes, pick_device

        job = Job(mode, preset(model), batch, pick_device(device), compile)
        names = [name for name in against.split(",") if name]
        figures = versus(job, names, rounds, from_dict(Wishes, {"precision": precision}))
        if json:
            output.print_json(figures)
        else:
            _print_versus(model, figures)

    return contest


bench.command("train", help="Training steps a second (forward, backward, AdamW), against peers.")(_verb("train"))
bench.command("infer", help="Forward passes a second, against peers.")(_verb("infer"))


@bench.command("loader", help="Images a second of the data path: decoding, augmentation, both.")
def loader(
    recipe: Annotated[str, typer.Option("--recipe", help="Whose data and augmentation.")] = "r0_cifar10",
    data: DataOption = None,
    set_: SetOption = None,
    against: Annotated[str, typer.Option("--against", help="torchvision, or nobody.")] = "torchvision",
    rounds: RoundsOption = 5,
    device: DeviceOption = None,
    json: JsonOption = False,
) -> None:
    """Time the batches of a recipe beside its training step, and its parts on one core beside torchvision's."""
    from vitlab.bench.loader import bench_loader
    from vitlab.recipes import changed
    from vitlab.recipes import recipe as named

    spec = changed(named(recipe), ({"data": data} if data else {}) | settings(set_))
    figures = {"recipe": recipe, **bench_loader(spec, rounds, device, against)}
    if json:
        output.print_json(figures)
        return
    rows = [(name.replace("_", " "), output.count(f["images_per_second"])) for name, f in figures["paths"].items()]
    output.print_table(f"{recipe}, batch {figures['batch_size']}", ("path", "images/s"), rows)
    output.console().print(f"augmented batches take {figures['share_of_step']:.1%} of the training step\n")
    output.print_table("on one core", ("what", "who", "images/s", "vitlab is × as fast"), list(_per_core(figures)))


def _per_core(figures: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for what, found in figures["per_core"].items():
        yield what, "vitlab", output.count(found["images_per_second"]), ""
        for peer in found["torchvision"]:
            who = "torchvision" + (f", {peer['setting']}" if peer["setting"] else "")
            yield what, who, output.count(peer["images_per_second"]), f"{peer['ratio']:.2f}"


def _print_versus(model: str, figures: dict[str, Any]) -> None:
    everybody = [("vitlab", figures["vitlab"])]
    everybody += [(name, each) for name, peer in figures["peers"].items() for each in peer["all"]]
    rows = [
        (
            name,
            f["setting"] + (f" ({f['differs']})" if f["differs"] else ""),
            output.count(f["images_per_second"]),
            f"{f['ratio']:.2f}" if "ratio" in f else "",
            output.percent(f["fraction_of_peak"]),
            output.count(f["peak_memory_bytes"] / 2**20),
        )
        for name, f in everybody
    ]
    job = figures["job"]
    title = f"{job['mode']} {model}, batch {job['batch_size']}, medians of {job['rounds']} rounds"
    columns = ("library", "setting", "images/s", "vitlab is × as fast", "of the matrix peak", "memory MiB")
    output.print_table(title, columns, rows)
    peaks = figures["peak_flops_per_second"]
    said = ", ".join(f"{name} {value / 1e9:,.0f} GFLOP/s" for name, value in peaks.items())
    output.console().print(f"matrix-product peak: {said}")
    for name, reason in figures["missing"].items():
        output.console().print(f"{name}: {reason}")
