"""`vitlab bench`: speed and memory, in turn with other libraries, as ratios taken in one run."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from vitlab.api import benches
from vitlab.base.going_on import going_on
from vitlab.base.options import OPTIONS
from vitlab.cli import output
from vitlab.cli.options import DataOption, DeviceOption, JsonOption, PrecisionOption, SetOption, settings

bench = typer.Typer(help="Speed and memory, compared with other libraries.", no_args_is_help=True)

ModelOption = Annotated[str, typer.Option("--model", help="A preset.")]
BatchOption = Annotated[
    int | None,
    typer.Option("--batch", min=1, help="Batch size. Default: 128, or what a CPU does in seconds."),
]
RoundsOption = Annotated[int, typer.Option("--rounds", min=1, help="Rounds; each candidate is timed once per round.")]
AgainstOption = Annotated[str, typer.Option("--against", help="Libraries, e.g. timm,transformers,vit_pytorch.")]
MinutesOption = Annotated[
    float, typer.Option("--minutes", min=0, help="Fewer rounds, but two at least, rather than take longer.")
]
CompileOption = Annotated[bool, typer.Option(OPTIONS["compiled"], help="Use torch.compile for all libraries.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.add_typer(bench, name="bench")


def _verb(mode: Literal["train", "infer"]) -> Callable[..., None]:
    """`vitlab bench train` and `vitlab bench infer` differ in what is timed and in nothing else."""

    def contest(
        against: AgainstOption = "timm,transformers,vit_pytorch",
        model: ModelOption = "r0_vit",
        batch: BatchOption = None,
        rounds: RoundsOption = 5,
        device: DeviceOption = None,
        precision: PrecisionOption = None,
        compiled: CompileOption = False,
        minutes: MinutesOption = 3.0,
        json: JsonOption = False,
    ) -> None:
        started, console = time.monotonic(), output.console(quiet=json)
        output.load_torch(console)
        with going_on(console) as say:
            figures = benches.bench(
                mode,
                model,
                against=[name for name in against.split(",") if name],
                batch_size=batch,
                rounds=rounds,
                device=device,
                precision=precision,
                compiled=compiled,
                minutes=minutes - (time.monotonic() - started) / 60,
                say=say,
            )
        if json:
            output.print_json(figures)
        else:
            _print_versus(model, figures)

    return contest


bench.command("train", help="Training speed (forward, backward, AdamW), compared with other libraries.")(_verb("train"))
bench.command("infer", help="Inference speed, compared with other libraries.")(_verb("infer"))


@bench.command("export", help="Exports of a run beside it: the same answers on the test images, and latency.")
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run directory.")],
    to: Annotated[str, typer.Option("--to", help="Formats, e.g. onnx,torch_export.")] = "onnx,torch_export",
    rounds: RoundsOption = 9,
    json: JsonOption = False,
) -> None:
    """Print how many test images are classified alike, and how fast each is."""
    console = output.console(quiet=json)
    output.load_torch(console)
    with going_on(console) as say:
        figures = benches.bench_export(run, [name for name in to.split(",") if name], rounds=rounds, say=say)
    if json:
        output.print_json(figures)
        return
    for row in figures["exports"]:
        alike = f"{row['same_class']:,} of {figures['images']:,} test images classified alike"
        console.print(f"{row['format']}: {alike}, logits at most {row['largest_difference']:.1g} apart")
        for point in row["latency"]:
            console.print(
                f"  {point['batch']:>3} at once: {1000 * point['model_seconds']:.2f} ms the model, "
                f"{1000 * point['export_seconds']:.2f} ms the export, {point['times_as_fast']:.2f} times as fast"
            )


@bench.command("loader", help="Images a second of the data path: decoding, augmentation, both.")
def loader(
    recipe: Annotated[str, typer.Option("--recipe", help="A recipe, for its data and augmentation.")] = "r0_cifar10",
    data: DataOption = None,
    set_: SetOption = None,
    against: Annotated[str, typer.Option("--against", help='torchvision, or "" for none.')] = "torchvision",
    rounds: RoundsOption = 5,
    device: DeviceOption = None,
    json: JsonOption = False,
) -> None:
    """Time the batches of a recipe beside its training step, and its parts on one core beside torchvision's."""
    from vitlab.names import is_recipe

    changes = settings(set_, own=not is_recipe(recipe), data=data)
    console = output.console(quiet=json)
    output.load_torch(console)
    with going_on(console, f"timing the data path of {recipe}"):
        figures = benches.bench_loader(recipe, changes, against=against, rounds=rounds, device=device)
    if json:
        output.print_json(figures)
        return
    rows = [(name.replace("_", " "), output.count(f["images_per_second"])) for name, f in figures["paths"].items()]
    output.print_table(f"{recipe}, batch {figures['batch_size']}", ("path", "images/s"), rows)
    output.console().print(f"augmented batches take {figures['share_of_step']:.1%} of the training step\n")
    output.print_table("on one core", ("what", "who", "images/s", "speed-up of vitlab"), list(_per_core(figures)))


@bench.command("attention", help="Every attention and mixer against the number of tokens: time and memory.")
def attention(
    tokens: Annotated[str, typer.Option("--tokens", help="E.g. 64,256,1024. Default: 64 to 16384.")] = "",
    only: Annotated[str, typer.Option("--only", help="Attentions and mixers, e.g. softmax,linear. Default: all.")] = "",
    model: Annotated[str, typer.Option("--model", help="A preset, for width and heads.")] = "vit_small_patch16_224",
    rounds: RoundsOption = 5,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="A folder for the picture and the figures.")] = None,
    json: JsonOption = False,
) -> None:
    """Time the mixers in turn, at one number of tokens after the other."""
    numbers = [_whole(text) for text in tokens.split(",") if text]
    names = [name for name in only.split(",") if name]
    how: dict[str, Any] = {"rounds": rounds, "device": device, "precision": precision}
    console = output.console(quiet=json)
    output.load_torch(console)
    with going_on(console) as say:
        figures = benches.bench_attention(model, numbers, names, **how, out=out, say=say)
    if json:
        output.print_json(figures)
    else:
        _print_mechanisms(figures, out)


def _whole(text: str) -> int:
    from vitlab.base.errors import UserError

    if not text.strip().isdigit():
        raise UserError(f"--tokens {text}: expected whole numbers, for example 64,256,1024")
    return int(text)


def _print_mechanisms(figures: dict[str, Any], out: Path | None) -> None:
    width = f"D {figures['embed_dim']}, {figures['num_heads']} heads, {figures['dtype']}"
    columns = ("mechanism", *map(output.count, figures["tokens"]))
    for title, key, scale, decimals in (
        ("training step, milliseconds / image", "step_seconds", 1e3, 2),
        ("forward, milliseconds / image", "forward_seconds", 1e3, 2),
        ("peak memory of a training step, MiB / image", "peak_memory_bytes", 2**-20, 1),
        ("training step, speed-up over softmax attention with its faster kernel", "step_vs_softmax", 1, 2),
        ("training step, speed-up over its own plain definition", "step_vs_definition", 1, 2),
    ):
        rows = []
        for row in figures["mechanisms"]:
            values = {point["tokens"]: point[key] for point in row["points"] if point[key] is not None}
            cells = [f"{values[n] * scale:.{decimals}f}" if n in values else "–" for n in figures["tokens"]]
            rows.append((row["label"], *cells))
        output.print_table(f"{title} ({width})", columns, rows)
        output.console().print()
    for row in figures["mechanisms"]:
        if (since := row["beats_softmax_from"]["step"]) and row["name"] != "softmax":
            output.console().print(f"{row['label']} trains faster than softmax attention from {since:,} tokens on")
    for name, why in figures["missing"].items():
        output.console().print(f"{name}: {why}")
    if out is not None:
        output.console().print(f"picture: {out / 'attention.png'}, figures: {out / 'attention.json'}")


@bench.command("statistics", help="How often a study's verdicts err, and what they see: by simulation.")
def statistics(
    studies: Annotated[int, typer.Option("--studies", min=10, help="Simulated studies of every kind.")] = 2_000,
    only: Annotated[str, typer.Option("--only", help="E.g. error,power,coverage. Default: all.")] = "",
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes side by side.")] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="A folder for the picture and the figures.")] = None,
    json: JsonOption = False,
) -> None:
    """Simulate studies under many laws of scores, and count what is said of them."""
    names = [name for name in only.split(",") if name]
    with going_on(output.console(quiet=json)) as say:
        figures = benches.bench_statistics(studies, only=names, jobs=jobs, out=out, say=say)
    if json:
        output.print_json(figures)
        return
    for title, columns, rows in benches.tables_of_statistics(figures):
        output.print_table(f"{title}, {figures['studies']:,} studies", columns, rows)
        output.console().print()
    if out is not None:
        output.console().print(f"picture: {out / 'statistics.png'}, figures: {out / 'statistics.json'}")


def _per_core(figures: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for what, rates in figures["per_core"].items():
        yield what, "vitlab", output.count(rates["images_per_second"]), ""
        for peer in rates["torchvision"]:
            who = "torchvision" + (f", {peer['setting']}" if peer["setting"] else "")
            yield what, who, output.count(peer["images_per_second"]), f"{peer['ratio']:.2f}"


def _print_versus(model: str, figures: dict[str, Any]) -> None:
    everybody = [("vitlab", figures["vitlab"])]
    everybody += [(name, setting) for name, peer in figures["peers"].items() for setting in peer["all"]]
    rows = [
        (
            name,
            f["setting"],
            output.count(f["images_per_second"]),
            f"{f['ratio']:.2f}" if "ratio" in f else "",
            f"{f['fraction_of_peak']:.0%}",
            "–" if f["peak_memory_bytes"] is None else output.count(f["peak_memory_bytes"] / 2**20),
        )
        for name, f in everybody
    ]
    job, console = figures["job"], output.console()
    title = f"{job['mode']} {model}, batch {job['batch_size']}, medians of {job['rounds']} rounds"
    output.print_table(title, ("library", "setting", "images/s", "ratio", "peak", "MiB"), rows)
    peaks = figures["peak_flops_per_second"]
    said = ", ".join(f"{name} {value / 1e9:,.0f} GFLOP/s" for name, value in peaks.items())
    console.print(f"ratio: vitlab's speed over theirs; peak: share of a matrix product's {said}; MiB: peak memory")
    notes = {f"{name} differs": f["differs"] for name, f in everybody if f["differs"]}
    for name, reason in (notes | figures["missing"]).items():
        console.print(f"{name}: {reason}")
