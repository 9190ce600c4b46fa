"""Numbers and sentences of the pages: how a value is written, and what is said when there is none."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from vitlab.base import options
from vitlab.base.durations import duration
from vitlab.base.metric import Metric
from vitlab.base.words import counted
from vitlab.records.run import Environment
from vitlab.report.run import EXACT, SPLITS, UNFINISHED, RunRecord
from vitlab.report.units import title_of, unit_of
from vitlab.stats.by_class import balanced_accuracy
from vitlab.stats.intervals import wilson
from vitlab.stats.majority import majority

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


def is_number(value: float | None) -> TypeGuard[float]:
    """Whether there is a finite value to show."""
    return value is not None and math.isfinite(value)


def headline(run: RunRecord) -> str:
    """The one sentence that a reader takes away: what the run scores, on what, from how much evidence."""
    sentence = _score(run) or _last_score(run) or "No score on held-out data was recorded."
    return sentence if run.status == "finished" else f"{_STATUS[run.status]} {sentence}"


def subject(spec: Mapping[str, Any]) -> str:
    """Data, model and length of a training in one line, as far as its settings tell."""
    model, data, length, epochs = (spec.get(name) for name in ("model", "data", "steps", "epochs"))
    told = [str(data["name"])] if isinstance(data, Mapping) and "name" in data else []
    if isinstance(model, Mapping) and {"depth", "embed_dim"} <= set(model):
        told.append(f"ViT of {model['depth']} blocks, {model['embed_dim']} wide")
    if length or epochs:
        told.append(f"{count(length)} steps" if length else f"{epochs:g} epochs")
    return " · ".join(told)


_STATUS = {
    "failed": "This run failed.",
    "interrupted": "This run was interrupted.",
    UNFINISHED: "This run has not finished.",
}


def _score(run: RunRecord) -> str | None:
    """Of the test split, or of validation where that was not read."""
    metric = run.selected
    if metric is None:
        return None
    split = "test" if is_number(run.metrics.get(f"test_{metric.name}")) else "val"
    value = run.metrics.get(f"{split}_{metric.name}")
    if not is_number(value):
        return None
    on = f"{_written(metric, value, split)} on {run.data_name or 'unnamed data'}"
    if not metric.counts_right:
        return f"{on}, {_evidence(run)}."
    if why := _no_interval(run, split):
        return f"{on}, {_evidence(run)}; no interval, because {why}."
    total = _tested(run, split) or 0
    correct = round(value * total)
    chance = wilson(correct / total, total, 0.95)
    interval = f"95 % interval from the {SPLITS[split]} set's size [{percent(chance.low)}, {percent(chance.high)}]"
    return f"{on} ({count(correct)} of {count(total)}), {_evidence(run)}; {interval}."


def _no_interval(run: RunRecord, split: str) -> str:
    """Why a share has no interval; empty if it has one."""
    if disagreement(run):
        return "the records disagree"
    if split != "test":
        return "validation chooses the checkpoint"
    return "" if _tested(run, split) else "the number of test images is not known"


def _tested(run: RunRecord, split: str) -> int | None:
    """How many images a split has, as far as that was recorded."""
    if run.predictions is not None and run.predictions.split == split:
        return len(run.predictions.labels)
    return run.data.split(split).images if run.data else None


def _last_score(run: RunRecord) -> str | None:
    """The last validation score of a run that left no result."""
    metric = run.selected
    if metric is None:
        return None
    values = [(line.get(f"val_{metric.name}"), line["step"]) for line in run.history]
    known = [(value, step) for value, step in values if is_number(value)]
    if not known:
        return None
    value, step = known[-1]
    unit = unit_of(metric, "val")
    return f"Its last {unit.title} was {unit.value(value)} {unit.value_unit}, at step {count(step)}; {_evidence(run)}."


def _written(metric: Metric, value: float, split: str) -> str:
    """'98.1 % test top-1'"""
    unit = unit_of(metric, split)
    return f"{unit.value(value)} {unit.value_unit} {unit.title}".replace("  ", " ")


def _evidence(run: RunRecord) -> str:
    seed = run.spec.get("seed")
    return f"one run, {'seed not recorded' if seed is None else f'seed {seed}'}"


def disagreement(run: RunRecord) -> str | None:
    """What to say if predictions.npz and result.json tell different shares of right answers."""
    predictions = run.predictions
    if predictions is None:
        return None
    right, total = predictions.num_correct, len(predictions.labels)
    for metric in run.measured.values():
        told = run.metrics.get(f"{predictions.split}_{metric.name}")
        if metric.counts_right and told is not None and abs(told - right / total) >= 0.5 / total:
            return (
                f"The records disagree: result.json has {SPLITS[predictions.split]} {metric.title} {percent(told)} %, "
                f"predictions.npz has {count(right)} of {count(total)} right ({percent(right / total)} %)."
            )
    return None


def caveats(run: RunRecord) -> list[str]:
    """What a reader must know before believing the page."""
    notes = [disagreement(run)]
    if run.status != "finished":
        notes.insert(0, f"Reason: {run.reason or NOT_RECORDED}")
    selected = run.selected.name if run.selected else ""
    if [split for split in ("test", "val") if is_number(run.metrics.get(f"{split}_{selected}"))] == ["val"]:
        notes.append("The test split was not read. Validation chooses the checkpoint, so its score is optimistic.")
    notes += [*_of_classes(run), *_of_images(run)]
    if run.peeks:
        notes.append("The test split was evaluated during training (“peeks”): do not choose anything by its curves.")
    if run.from_no_commit:
        notes.append("The code had uncommitted changes, so this run cannot be repeated exactly.")
    return [note for note in notes if note]


def _of_classes(run: RunRecord) -> list[str]:
    """What a reader must know of an accuracy where the classes are uneven."""
    largest = majority({each.name: each.images for each in run.by_class})
    if largest is None or run.predictions is None:
        return []
    images = f"the {SPLITS[run.predictions.split]} images"
    return [
        f"The classes are uneven: always saying {largest.name} would be right for {percent(largest.share)} % of "
        f"{images}. Balanced accuracy, the mean recall of the classes, is "
        f"{percent(balanced_accuracy(run.by_class))} %."
    ]


def _of_images(run: RunRecord) -> list[str]:
    """What a reader must know of the images that were seen, and of those that were not."""
    notes = [
        f"{count(len(names))} {SPLITS[split]} image{'s' if len(names) > 1 else ''} could not be read and "
        f"{'are' if len(names) > 1 else 'is'} left out; the names are below."
        for split, names in run.unreadable.items()
    ]
    if run.data and run.data.order != EXACT:
        notes.append(f"The order of the training images is not exact: {run.data.order}.")
    return notes


def images(run: RunRecord) -> list[Fact]:
    """How many images each split has, and how those of training are ordered."""
    data = run.data
    if data is None:
        return []
    titles = {split: f"{SPLITS[split].capitalize()} images" for split in ("train", "val", "test")}
    counts = [Fact(title, count(data.split(split).images)) for split, title in titles.items()]
    return [*counts, Fact("Order in training", data.order)]


class Scores(NamedTuple):
    """A table: what its columns are, and for each split its name and a value a column, None where there is none."""

    columns: list[str]
    rows: list[tuple[str, list[str | None]]]


def scores(run: RunRecord) -> Scores:
    """What was measured of each split, a column a metric, in percent where it is a share of the images."""
    metrics = list(run.measured.values())
    rows = [(SPLITS[split].capitalize(), [_score_of(run, split, metric) for metric in metrics]) for split in SPLITS]
    return Scores([title_of(metric) for metric in metrics], rows)


def _score_of(run: RunRecord, split: str, metric: Metric) -> str | None:
    value = run.metrics.get(f"{split}_{metric.name}")
    return unit_of(metric).value(value) if is_number(value) else None


def key_numbers(run: RunRecord) -> list[Fact]:
    """Size and effort, each with its unit."""
    written: dict[str, tuple[str, Callable[[float], str]]] = {
        "num_params": ("Parameters", count),
        "flops": ("FLOPs / image", scaled),
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
    why = run.missing.get(Environment.file, NOT_RECORDED)
    env = run.environment or Environment()
    hardware = [Fact(_label(name), _value(name, value), why) for name, value in env.hardware.items()]
    system = {"System": env.os, "Python": env.python}
    record = {"Commit": env.commit, "Started": env.started}
    return [
        *(hardware or [Fact("Hardware", None, why)]),
        *(Fact(label, value, why) for label, value in {**system, **env.versions, **record}.items()),
    ]


def machines(runs: Sequence[RunRecord]) -> list[Fact]:
    """The same of several runs: what all share stands once, what differs with the number of runs it is true of."""
    facts = [{fact.label: fact for fact in machine(run)} for run in runs]
    labels = dict.fromkeys(label for labelled in facts for label in labelled)
    return [_agreed(label, [labelled[label] for labelled in facts if label in labelled]) for label in labels]


def _agreed(label: str, facts: Sequence[Fact]) -> Fact:
    values = Counter(fact.value for fact in facts if fact.value is not None)
    if len(values) < 2:
        return facts[0] if not values else Fact(label, next(iter(values)))
    if label == "Started":
        return Fact(label, f"{min(values)} to {max(values)}")
    return Fact(
        label,
        "; ".join(f"{value} ({counted(number, 'run')})" for value, number in sorted(values.items())),
    )


def choices_in_short(run: RunRecord) -> str:
    """'cpu, bf16, fused attention, 2 threads'"""
    return options.in_words(run.choices) or NOT_RECORDED


def choices(run: RunRecord) -> list[Fact]:
    """What the machine chose, which is not part of the run's id."""
    if not run.choices:
        return [Fact("Choices", None, run.missing.get(Environment.file, NOT_RECORDED))]
    chosen = {name: value for name, value in run.choices.items() if value is not None}  # of one kernel, none is chosen
    return [Fact(_label(name), _value(name, value), NOT_RECORDED) for name, value in chosen.items()]


def _label(name: str) -> str:
    """'ram_bytes' -> 'RAM'; 'peak_memory' -> 'Peak memory'"""
    known = {"ram_bytes": "RAM", "cpu": "CPU", "gpu": "GPU", "kernel": "Attention kernel"}
    return known.get(name, name.removesuffix("_bytes").replace("_", " ").capitalize())


def _value(name: str, value: object) -> str | None:
    if value is None:
        return None
    if name.endswith("_bytes") and isinstance(value, int | float):
        return memory(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
