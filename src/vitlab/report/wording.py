"""Numbers and sentences of the pages: how a value is written, and what is said when there is none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from vitlab.report.run import SPLITS, Metrics, RunRecord, wilson_interval

NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Fact:
    """One labelled value on a page; `value` is None if it is missing, and then `note` says why."""

    label: str
    value: str | None
    note: str = ""


def percent(fraction: float) -> str:
    """0.98056 -> '98.1'"""
    return f"{100 * fraction:.1f}"


def count(number: float) -> str:
    """1234567 -> '1,234,567'"""
    return f"{number:,.0f}"


def scaled(number: float, unit: str = "", base: int = 1000) -> str:
    """3.51e10 -> '35.1 G'; bytes with base 1024: '1.5 GiB'"""
    power = min(int(math.log(abs(number), base)), 5) if abs(number) >= base else 0
    prefix = ("", "k", "M", "G", "T", "P")[power].upper() if base == 1024 else ("", "k", "M", "G", "T", "P")[power]
    infix = "i" if base == 1024 and power else ""
    digits = f"{number / base**power:.3g}" if power else f"{number:.0f}"
    return f"{digits} {prefix}{infix}{unit}".strip()


def duration(seconds: float) -> str:
    """3725 -> '1 h 02 min'; 75 -> '1 min 15 s'; 7.31 -> '7.3 s'"""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def loss(nats: float) -> str:
    """0.08123 -> '0.081'"""
    return f"{nats:.3f}"


def is_number(value: float | None) -> bool:
    """Whether there is a finite value to show."""
    return value is not None and math.isfinite(value)


def headline(run: RunRecord) -> str:
    """The one sentence that a reader takes away: the accuracy, on what, from how much evidence; or why there is none."""
    sentence = _accuracy(run) or "No accuracy on held-out data was recorded."
    if run.status == "finished":
        return sentence
    return f"{run.status.capitalize()}: {run.reason or 'no reason was recorded'}. {sentence}".replace("..", ".")


def _accuracy(run: RunRecord) -> str | None:
    split = next((name for name in ("test", "val") if is_number(run.metrics.get(f"{name}_top1"))), None)
    if split is None:
        return None
    value = run.metrics[f"{split}_top1"]
    assert value is not None
    seed = run.spec.get("seed")
    runs = f"n = 1 run, {'seed not recorded' if seed is None else f'seed {seed}'}"
    on = f"{percent(value)} % {SPLITS[split]} accuracy on {run.data_name or 'unnamed data'}"
    if run.predictions is None or run.predictions.split != split or disagreement(run):
        return f"{on}, {runs}; no interval, because the number of {SPLITS[split]} images was not recorded."
    correct, total = run.predictions.num_correct, len(run.predictions.labels)
    low, high = wilson_interval(correct, total)
    interval = f"95 % interval from the {SPLITS[split]} set's size [{percent(low)}, {percent(high)}]"
    return f"{on} ({count(correct)} of {count(total)}), {runs}; {interval}."


def disagreement(run: RunRecord) -> str | None:
    """What to say if predictions.npz and result.json tell different accuracies; None if they agree, or one is absent."""
    found = run.predictions
    told = run.metrics.get(f"{found.split}_top1") if found else None
    if found is None or told is None or abs(told - found.num_correct / len(found.labels)) < 0.5 / len(found.labels):
        return None
    counted = f"{count(found.num_correct)} of {count(len(found.labels))} right"
    return (
        f"The records disagree: result.json has {SPLITS[found.split]} accuracy {percent(told)} %, "
        f"predictions.npz has {counted} ({percent(found.num_correct / len(found.labels))} %)."
    )


def caveats(run: RunRecord) -> list[str]:
    """What a reader must know before believing the page."""
    notes = [disagreement(run)]
    if run.status == "finished" and not is_number(run.metrics.get("test_top1")):
        notes.append(
            "The test split was not evaluated. Validation chose the checkpoint, so its accuracy is optimistic."
        )
    if any("test_top1" in line or "test_loss" in line for line in run.history):
        notes.append("The curves of the test split peek at it during training; nothing may be chosen by them.")
    if str(run.env.get("commit", "")).endswith("-dirty"):
        notes.append("The code had changes that no commit holds, so this run cannot be repeated exactly.")
    return [note for note in notes if note]


def scores(metrics: Metrics) -> list[tuple[str, list[str | None]]]:
    """For each split: its name, top-1 %, top-5 % and loss; None where there is none."""
    return [(SPLITS[split].capitalize(), [_score(metrics, split, name) for name in _SCORES]) for split in SPLITS]


_SCORES = {"top1": percent, "top5": percent, "loss": loss}


def _score(metrics: Metrics, split: str, name: str) -> str | None:
    value = metrics.get(f"{split}_{name}")
    return _SCORES[name](value) if value is not None and math.isfinite(value) else None


def key_numbers(run: RunRecord) -> list[Fact]:
    """Size and effort, each with its unit."""
    written = {
        "num_params": ("Parameters", scaled),
        "flops": ("Forward of one image", lambda value: scaled(value, "FLOPs")),
        "steps": ("Steps", count),
        "best_step": ("Best step", count),
        "images_seen": ("Images seen", count),
        "train_seconds": ("Training time", duration),
        "seconds_per_epoch": ("Time per epoch", duration),
        "images_per_second": ("Images per second", count),
        "peak_memory_bytes": ("Peak memory", lambda value: scaled(value, "B", 1024)),
    }
    why = NOT_RECORDED if run.status == "finished" else f"{NOT_RECORDED}: the run is {run.status}"
    return [_fact(label, run.metrics.get(name), write, why) for name, (label, write) in written.items()]


def _fact(label: str, value: float | None, write: object, why: str) -> Fact:
    assert callable(write)
    return Fact(label, write(value)) if value is not None and math.isfinite(value) else Fact(label, None, why)


def machine(run: RunRecord) -> list[Fact]:
    """Hardware, system, versions, commit and when, as the run recorded them."""
    why = run.missing.get("env.json", NOT_RECORDED)
    env = run.env
    hardware, versions = env.get("hardware") or {}, env.get("versions") or {}
    facts = [Fact(_label(name), _value(name, value), why) for name, value in hardware.items()]
    facts = facts or [Fact("Hardware", None, why)]
    system = {"System": env.get("os"), "Python": env.get("python")}
    record = {"Commit": env.get("commit"), "Started": env.get("started")}
    return [
        *facts,
        *(Fact(label, value, why) for label, value in {**system, **versions, **record}.items()),
    ]


def choices(run: RunRecord) -> list[Fact]:
    """What the machine chose, which is not part of the run's id."""
    found = run.env.get("choices")
    if not isinstance(found, Mapping) or not found:
        return [Fact("Choices", None, run.missing.get("env.json", NOT_RECORDED))]
    return [Fact(_label(name), _value(name, value), NOT_RECORDED) for name, value in found.items()]


def _label(name: str) -> str:
    """'ram_bytes' -> 'RAM'; 'peak_memory' -> 'Peak memory'"""
    known = {"ram_bytes": "RAM", "cpu": "CPU", "gpu": "GPU"}
    return known.get(name, name.removesuffix("_bytes").replace("_", " ").capitalize())


def _value(name: str, value: object) -> str | None:
    if value is None:
        return None
    if name.endswith("_bytes") and isinstance(value, int | float):
        return scaled(value, "B", 1024)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
