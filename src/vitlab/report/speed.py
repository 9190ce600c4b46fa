"""What the records of `vitlab bench` say of speed and memory, as Markdown: what docs/results.md has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor, log10
from typing import Any

from vitlab.base.words import counted

Figures = Mapping[str, Any]


def markdown(figures: Figures) -> Iterator[str]:
    """A record's command, machine and tables. Which bench it is of, its keys tell."""
    yield f"{_told(figures)}:"
    yield ""
    if "peers" in figures:
        yield from _versus(figures)
    elif "mechanisms" in figures:
        yield from _attention(figures)
    elif "exports" in figures:
        yield from _exports(figures)
    else:
        yield from _loader(figures)


def where(env: Figures) -> str:
    """On what machine, with which versions, at which commit."""
    hardware, commit = env["hardware"], env["commit"] or "none"
    more = " with changes" if commit.endswith("-dirty") else ""
    units = ", ".join(name.upper().replace("_", "-") for name in hardware["instructions"]) or "no vector units"
    torch = env["versions"]["torch"]
    machine = f"{counted(hardware['cores'], 'core')} of an {hardware['cpu']} ({units})"
    return f"{machine}; torch {torch}; commit {commit[:7]}{more}"


def _told(figures: Figures) -> str:
    return f"`{figures['env']['command']}`, {where(figures['env'])}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield f"| {' | '.join(row)} |"


# ----------------------------------------------------------------------------------------- beside other libraries


def _versus(figures: Figures) -> Iterator[str]:
    columns = ("library", "setting", "images/s", "speed-up of vitlab", "of the matrix peak", "memory MiB")
    yield from _table(columns, _libraries(figures))
    peaks = figures["peak_flops_per_second"]
    said = ", ".join(f"{peak / 1e9:,.0f} GFLOP/s {name}" for name, peak in peaks.items())
    yield ""
    job = figures["job"]
    yield f"Medians of {job['rounds']} rounds, in each of which every library is timed once, batch {job['batch_size']};"
    yield f"matrix-product peak in the same rounds: {said}."
    for name, peer in figures["peers"].items():
        if peer["best"]["differs"]:
            yield f"{_library(name)}: {peer['best']['differs']}."


def _libraries(figures: Figures) -> Iterator[Sequence[str]]:
    yield _one(figures["vitlab"], "**vitlab**", f"default: {figures['vitlab']['setting']}")
    for name, peer in figures["peers"].items():
        special = {peer["as_it_comes"]["setting"]: "default: ", peer["best"]["setting"]: "best: "}
        for each in peer["all"]:
            yield _one(each, _library(name), f"{special.get(each['setting'], '')}{each['setting']}")


def _one(timed: Figures, library: str, setting: str) -> Sequence[str]:
    ratio = f"{timed['ratio']:.2f}" if "ratio" in timed else ""
    memory = "–" if timed["peak_memory_bytes"] is None else f"{timed['peak_memory_bytes'] / 2**20:,.0f}"
    return library, setting, f"{timed['images_per_second']:,.0f}", ratio, f"{timed['fraction_of_peak']:.0%}", memory


def _library(name: str) -> str:
    return name.replace("_", "-")


# --------------------------------------------------------------------------------- attention and the number of tokens


def _attention(figures: Figures) -> Iterator[str]:
    tokens = [f"{number:,}" for number in figures["tokens"]]
    yield "Milliseconds an image of a training step, and how many times as fast as softmax attention with the better of"
    yield "its kernels; a dash where it would need more than half of the memory:"
    yield ""
    rows = [_mechanism(row, figures["tokens"]) for row in figures["mechanisms"]]
    yield from _table(("tokens", *tokens, "trains faster from", "forward alone from"), rows)
    yield ""
    yield f"Medians of {figures['rounds']} rounds, {figures['dtype']}, {figures['batch_tokens']:,} tokens a call, width"
    yield f"{figures['embed_dim']}, {figures['num_heads']} heads; ratios are medians of the ratios within a round."


def _mechanism(row: Figures, tokens: Sequence[int]) -> Sequence[str]:
    points = {point["tokens"]: point for point in row["points"] if point["step_seconds"] is not None}
    times = (_time(points[number]) if number in points else "–" for number in tokens)
    since = (row["beats_softmax_from"][what] for what in ("step", "forward"))
    return row["label"], *times, *(f"{number:,}" if number and row["name"] != "softmax" else "" for number in since)


def _time(point: Figures) -> str:
    """'22.1 (1.04)'"""
    seconds, ratio = point["step_seconds"], point["step_vs_softmax"]
    return f"{_three_digits(1e3 * seconds)}" + ("" if ratio is None else f" ({_three_digits(ratio)})")


def _three_digits(value: float) -> str:
    """'0.498', '22.1', '24,700'"""
    return f"{float(f'{value:.3g}'):,.{max(0, 2 - floor(log10(value)))}f}"


# -------------------------------------------------------------------------------------------------------- the data path


def _loader(figures: Figures) -> Iterator[str]:
    rows = [
        (what, "vitlab", f"{rates['images_per_second']:,.0f}", "")
        if peer is None
        else ("", _peer(peer["setting"]), f"{peer['images_per_second']:,.0f}", f"{peer['ratio']:.2f}")
        for what, rates in figures["per_core"].items()
        for peer in (None, *rates["torchvision"])
    ]
    yield from _table(("on one core", "by", "images/s", "speed-up of vitlab"), rows)
    made, trained = (figures["paths"][name]["images_per_second"] for name in ("with_augmentation", "training_step"))
    yield ""
    yield f"With everything on, {made:,.0f} images/s are made and {trained:,.0f} trained: batches take"
    yield f"{figures['share_of_step']:.1%} of the training step."


def _peer(setting: str) -> str:
    """'torchvision.io', 'torchvision, Pillow'"""
    return setting if setting.startswith("torchvision") else ", ".join(filter(None, ("torchvision", setting)))


# ------------------------------------------------------------------------------------------------------- exports


def _exports(figures: Figures) -> Iterator[str]:
    images = figures["images"]
    columns = ("format", f"classified alike, of {images:,} test images", "logits apart by at most", *_batches(figures))
    yield from _table(columns, (_export(row, images) for row in figures["exports"]))
    yield ""
    threads = counted(figures["threads"], "thread")
    yield f"Latency in ms, the model's → the export's (how many times as fast that is), on {threads}."


def _batches(figures: Figures) -> Iterator[str]:
    for point in figures["exports"][0]["latency"]:
        yield counted(point["batch"], "image")


def _export(row: Figures, images: int) -> Sequence[str]:
    latencies = (
        f"{1000 * point['model_seconds']:.2f} → {1000 * point['export_seconds']:.2f} ({point['times_as_fast']:.2f} ×)"
        for point in row["latency"]
    )
    return row["format"], f"{row['same_class']:,}", f"{row['largest_difference']:.1g}", *latencies
