"""The table of a run's classes: how well each is recalled, and what its images are taken for."""

from dataclasses import replace

from vitlab.report.beside import Beside
from vitlab.report.run import SPLITS, RunRecord
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.wording import count, percent
from vitlab.stats.by_class import ClassRecall, balanced_accuracy

SHOWN = 30  # classes on the page; the CSV file has all of them


def recalls(run: RunRecord, beside: Beside) -> Table | None:
    """Every class that occurs, the lowest recall first; None where there are no predictions."""
    if run.predictions is None:
        return None
    split = SPLITS[run.predictions.split]
    columns = (
        Column("Class", ("class",), numeric=False),
        Column("Images", ("images",), f"of the class, in the {split} split"),
        Column("Share, %", ("share",), f"of all {split} images"),
        Column("Recall, %", ("recall",), "the share of the class's images that were taken for it"),
        Column("95 % interval", ("low", "high"), "of the recall, from the number of the class's images (Wilson)"),
        Column(
            "Most often taken for", ("taken_for", "mistaken"), "and how many of the class's images were", numeric=False
        ),
    )
    total = len(run.predictions.labels)
    rows = tuple(_row(each, total) for each in sorted(run.by_class, key=lambda each: each.recall))
    caption = f"Balanced accuracy, the mean recall of the classes: {percent(balanced_accuracy(run.by_class))} %."
    table = Table("by_class", caption, columns, rows).kept(beside)
    if len(rows) <= SHOWN:
        return table
    shown = f" The {SHOWN} lowest recalls of {count(len(rows))}; by_class.csv in the folder beside this page has all."
    return replace(table, caption=caption + shown, rows=rows[:SHOWN])


def _row(each: ClassRecall, total: int) -> tuple[Entry, ...]:
    share, interval = each.images / total, each.interval
    return (
        named(each.name),
        Entry(count(each.images), (each.images,)),
        Entry(percent(share), (share,)),
        Entry(percent(each.recall), (each.recall,)),
        Entry(f"[{percent(interval.low)}, {percent(interval.high)}]", (interval.low, interval.high)),
        Entry(f"{each.taken_for} ({count(each.mistaken)})", (each.taken_for, each.mistaken))
        if each.taken_for is not None
        else absent("all of its images are right", 2),
    )
