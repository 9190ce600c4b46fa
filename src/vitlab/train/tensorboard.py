"""The TensorBoard view of a run: the lines of metrics.jsonl, as event files in RUN/tensorboard.

The lines stay the record, and the events are a view of it. Every process that takes up the run makes the view anew
from the lines that are there, and adds those that come: so nothing is in it twice, nor what a resume took back.
"""

import os
from collections.abc import Sequence
from datetime import datetime

from vitlab.base.errors import UserError
from vitlab.records.history import read_history
from vitlab.records.run import Environment
from vitlab.train.run_dir.run_dir import RunDir

SPLITS = ("train", "val", "test")


def require_tensorboard() -> None:
    """Raises UserError if the package that writes event files is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401 (it imports the package)
    except ImportError:
        raise UserError("--tensorboard: the package is not installed; pip install 'vitlab[tensorboard]'") from None


def tag_of(name: str) -> str:
    """A line's key as TensorBoard's users expect it: `val_top1` -> `val/top1`; `lr`, which is of no split, stays."""
    split, _, rest = name.partition("_")
    return f"{split}/{rest}" if split in SPLITS else name


class Events:
    """The event files of R runs, for those that are `asked` to have them or have had them before."""

    def __init__(self, runs: Sequence[RunDir], asked: bool):
        shown = [run for run in runs if run.writes and (asked or run.events.exists())]
        if shown:
            require_tensorboard()
        self.views = [_View(run) for run in shown]

    def __enter__(self) -> "Events":
        self.update()
        return self

    def __exit__(self, *_: object) -> None:
        for view in self.views:
            view.writer.close()

    def update(self) -> None:
        """Add the lines that are new."""
        for view in self.views:
            view.update()


class _View:
    """The event file of one run, empty at first."""

    def __init__(self, run: RunDir):
        from torch.utils.tensorboard import SummaryWriter  # slow to import, and few runs need it

        for old in run.events.glob("events.out.tfevents.*"):
            os.truncate(old, 0)  # not removed: a TensorBoard that is open would wait for it for ever
        self.folder, self.shown = run.path, 0
        started = Environment.read(run.path).started
        self.started = datetime.fromisoformat(started).timestamp() if started else 0.0
        self.writer = SummaryWriter(str(run.events), purge_step=0)  # a TensorBoard that is open forgets what it showed

    def update(self) -> None:
        lines = read_history(self.folder)
        for line in lines[self.shown :]:
            at = self.started + (line.get("seconds") or 0.0)  # the run's own time, without pauses between processes
            for name, value in line.items():
                if name != "step":
                    self.writer.add_scalar(tag_of(name), value, line["step"], walltime=at)
        self.shown = len(lines)
        self.writer.flush()
