"""Numbers and sentences of the pages: how a value is written, and what is said when there is none."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeGuard

from vitlab.report.run import EXACT, SPLITS, Metrics, RunRecord, wilson_interval

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


def scaled(number: float, unit: str = "") -> str:
    """3.51e10 -> '35.1 G'"""
    return _with_prefix(number, 1000, ("", "k", "M", "G", "T", "P"), unit)


def memory(num_bytes: float) -> str:
    """1610612736 -> '1.5 GiB'"""
    return _with_prefix(num_bytes, 1024, ("", "Ki", "Mi", "Gi", "Ti", "Pi"), "B")


def _with_prefix(number: float, base: int, prefixes: tuple[str, ...], unit: str) -> str:
    power = 0
    while abs(number) >= 999.5 and power < len(prefixes) - 1:  # 999.7 would be written as 1000
        number, power = number / base, power + 1
    digits = 3 - len(str(round(abs(number)))) if power else 0  # three significant ones
    return f"{number:.{digits}f} {prefixes[power]}{unit}".strip()


def duration(seconds: float) -> str:
    """3725 -> '1 h 02 min'; 75 -> '1 min 15 s'; 7.31 -> '7.3 s'"""
    if seconds < 59.95:  # more would be written as 60.0 s
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def loss(nats: float) -> str:
    """0.08123 -> '0.081'"""
    return f"{nats:.3f}"


def shortened(text: str, length: int) -> str:
    """A text of at most so many characters; what is cut off shows as …"""
    return text if len(text) <= length else text[: length - 1] + "…"


def is_number(value: float | None) -> TypeGuard[float]:
    """Whether there is a finite value to show."""
    return value is not None and math.isfinite(value)


def headline(run: RunRecord) -> str:
    """The one sentence that a reader takes away: the accuracy, on what, from how much evidence."""
    sentence = _accuracy(run) or _last_accuracy(run) or "No accuracy on held-out data was recorded."
    return sentence if run.status == "finished" else f"{_STATUS[run.status]} {sentence}"


_STATUS = {
    "failed": "This run failed.",
    "interrupted": "This run was interrupted.",
    "unfinished": "This run has not finished.",
}


def _accuracy(run: RunRecord) -> str | None:
    split = "test" if is_number(run.metrics.get("test_top1")) else "val"
    value = run.metrics.get(f"{split}_top1")
    if not is_number(value):
        return None
    on = f"{percent(value)} % {SPLITS[split]} accuracy on {run.data_name or 'unnamed data'}"
    if run.predictions is None or run.predictions.split != split or disagreement(run):
        return f"{on}, {_evidence(run)}; no interval, because the number of {SPLITS[split]} images is not known."
    correct, total = run.predictions.num_correct, len(run.predictions.labels)
    low, high = wilson_interval(correct, total)
    interval = f"95 % interval from the {SPLITS[split]} set's size [{percent(low)}, {percent(high)}]"
    return f"{on} ({count(correct)} of {count(total)}), {_evidence(run)}; {interval}."


def _last_accuracy(run: RunRecord) -> str | None:
    """The last validation accuracy of a run that left no result."""
    values = [(line.get("val_top1"), line.get("step")) for line in run.history]
    known = [(value, step) for value, step in values if is_number(value) and is_number(step)]
    if not known:
        return None
    value, step = known[-1]
    return f"Its last validation accuracy was {percent(value)} %, at step {count(step)}; {_evidence(run)}."


def _evidence(run: RunRecord) -> str:
    seed = run.spec.get("seed")
    return f"n = 1 run, {'seed not recorded' if seed is None else f'seed {seed}'}"


def disagreement(run: RunRecord) -> str | None:
    """What to say if predictions.npz and result.json tell different accuracies."""
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
    if run.status != "finished":
        notes.insert(0, f"Reason: {run.reason or NOT_RECORDED}")
    if not is_number(run.metrics.get("test_top1")) and is_number(run.metrics.get("val_top1")):
        notes.append("The test split was not read. Validation chooses the checkpoint, so its accuracy is optimistic.")
    notes += _of_pictures(run)
    if any("test_top1" in line or "test_loss" in line for line in run.history):
        notes.append("The curves of the test split peek at it during training; nothing may be chosen by them.")
    if str(run.env.get("commit", "")).endswith("-dirty"):
        notes.append("The code had changes that no commit holds, so this run cannot be repeated exactly.")
    return [note for note in notes if note]


def _of_pictures(run: RunRecord) -> list[str]:
    """What a reader must know of the pictures that were seen, and of those that were not."""
    if run.pictures is None:
        return []
    notes = [
        f"{count(len(names))} {SPLITS[split]} picture{'s' if len(names) > 1 else ''} could not be read and "
        f"{'are' if len(names) > 1 else 'is'} left out; the names are below."
        for split, names in run.pictures.unreadable.items()
    ]
    if run.pictures.order != EXACT:
        notes.append(f"The order of the training pictures is not exact: {run.pictures.order}.")
    return notes


def pictures(run: RunRecord) -> list[Fact]:
    """How many pictures each split has, and how those of training are ordered."""
    found = run.pictures
    if found is None:
        return []
    named = {split: f"{SPLITS[split].capitalize()} pictures" for split in ("train", "val", "test")}
    counts = [Fact(label, count(found.counts[split])) for split, label in named.items()]
    return [*counts, Fact("Order in training", found.order)]


class Scores(NamedTuple):
    """A table: what its columns are, and for each split its name and a value a column, None where there is none."""

    columns: list[str]
    rows: list[tuple[str, list[str | None]]]


_SCORES: dict[str, tuple[str, Callable[[float], str]]] = {
    "top1": ("Top-1", percent),
    "top5": ("Top-5", percent),
    "loss": ("Loss", loss),
    "auxiliary_loss": ("Auxiliary loss", loss),
}


def scores(metrics: Metrics) -> Scores:
    """Top-1 %, top-5 % and loss of each split, and the auxiliary part's loss if the model has such a part."""
    has_auxiliary = any(f"{split}_auxiliary_loss" in metrics for split in SPLITS)
    names = [name for name in _SCORES if name != "auxiliary_loss" or has_auxiliary]
    rows = [(SPLITS[split].capitalize(), [_score(metrics, split, name) for name in names]) for split in SPLITS]
    return Scores([_SCORES[name][0] for name in names], rows)


def _score(metrics: Metrics, split: str, name: str) -> str | None:
    value = metrics.get(f"{split}_{name}")
    return _SCORES[name][1](value) if is_number(value) else None


def key_numbers(run: RunRecord) -> list[Fact]:
    """Size and effort, each with its unit."""
    written: dict[str, tuple[str, Callable[[float], str]]] = {
        "num_params": ("Parameters", count),
        "flops": ("Forward of one image", lambda value: scaled(value, "FLOPs")),
        "steps": ("Steps", count),
        "best_step": ("Best step", count),
        "images_seen": ("Images seen", count),
        "train_seconds": ("Training time", duration),
        "seconds_per_epoch": ("Time per epoch", duration),
        "images_per_second": ("Images per second", count),
        "peak_memory_bytes": ("Peak memory", memory),
    }
    return [_fact(label, run.metrics.get(name), write) for name, (label, write) in written.items()]


def _fact(label: str, value: float | None, write: Callable[[float], str]) -> Fact:
    return Fact(label, write(value)) if is_number(value) else Fact(label, None, NOT_RECORDED)


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


def machines(runs: Sequence[RunRecord]) -> list[Fact]:
    """The same of several runs: what all share stands once, what differs with the number of runs it is true of."""
    facts = [{fact.label: fact for fact in machine(run)} for run in runs]
    labels = dict.fromkeys(label for each in facts for label in each)
    return [_agreed(label, [each[label] for each in facts if label in each]) for label in labels]


def _agreed(label: str, facts: Sequence[Fact]) -> Fact:
    values = Counter(fact.value for fact in facts if fact.value is not None)
    if len(values) < 2:
        return facts[0] if not values else Fact(label, next(iter(values)))
    if label == "Started":
        return Fact(label, f"{min(values)} to {max(values)}")
    return Fact(
        label,
        "; ".join(f"{value} ({number} run{'s' if number > 1 else ''})" for value, number in sorted(values.items())),
    )


def choices_in_short(found: object) -> str:
    """'cpu, bf16, fused attention, 2 threads'"""
    if not isinstance(found, Mapping) or not found:
        return NOT_RECORDED
    written = {"device": "{}", "precision": "{}", "kernel": "{} attention", "threads": "{} threads"}
    words = [text.format(found[name]) for name, text in written.items() if found.get(name) is not None]
    flags = [name for name in ("compiled", "checkpointing", "deterministic") if found.get(name) is True]
    return ", ".join([*words, *flags]).replace(" 1 threads", " 1 thread")


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
        return memory(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
