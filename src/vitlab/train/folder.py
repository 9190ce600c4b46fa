"""A run's directory while it trains: who may take it, and what is written when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from vitlab.base import records
from vitlab.base.errors import UserError
from vitlab.base.spec import from_dict, spec_id, to_dict
from vitlab.checkpoints import native
from vitlab.train.choices import Choices
from vitlab.train.spec import RunSpec
from vitlab.train.state import TrainState


def by_one_writer(method: Callable[..., None]) -> Callable[..., None]:
    """Let a method that writes do nothing in a process that is not the one to write."""

    @wraps(method)
    def write(self: "RunFolder", *arguments: Any, **named: Any) -> None:
        if self.writes:
            method(self, *arguments, **named)

    return write


@dataclass(frozen=True)
class RunFolder:
    """One run's directory; the formats are in `vitlab.base.records`.

    `recipe` is what the run is called. `writes`: whether this process writes into it.
    """

    path: Path
    spec: RunSpec
    recipe: str = ""
    writes: bool = True

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoint"

    @property
    def metrics(self) -> Path:
        """The file of evaluation lines."""
        return self.path / "metrics.jsonl"

    @property
    def events(self) -> Path:
        """The folder of TensorBoard's view of them, if there is one."""
        return self.path / "tensorboard"

    @property
    def status(self) -> str | None:
        """How the run ended: "finished", "failed" or "interrupted"; None if it did not end."""
        result = self.path / "result.json"
        return records.read_field(result, "status") if result.exists() else None

    def claim(self, resume: bool) -> None:
        """Make sure that this folder is free, or holds this very run and may be resumed. Raises UserError."""
        recorded = self.path / "spec.json"
        if not recorded.exists():
            if self.path.exists() and any(not _of_a_beginning(file) for file in self.path.iterdir()):
                raise UserError(f"--out {self.path}: the folder is not empty and holds no run")
            return
        if not resume:
            raise UserError(
                f"--out {self.path}: there is a run already; --resume goes on with it, or name another folder"
            )
        if records.read_field(recorded, "id") != spec_id(self.spec):
            raise UserError(f"--resume {self.path}: the run there has other settings; its spec.json says which")

    @by_one_writer
    def describe(self, env: Mapping[str, Any], preprocessing: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """Write what the run works on and with."""
        records.write_json(self.path / "env.json", env)
        records.write_json(self.path / "preprocessing.json", preprocessing)
        self.describe_data(data)

    @by_one_writer
    def describe_data(self, data: Mapping[str, Any]) -> None:
        """Write what is known of the pictures; of a stream more is known in the end."""
        records.write_json(self.path / "data.json", data)

    def unreadable(self) -> list[str]:
        """The training pictures that the run could not read so far, by name."""
        known = self.path / "data.json"
        return records.read_field(known, "train")["names"] if known.exists() else []

    @by_one_writer
    def declare(self, init: Path | None) -> None:
        """Write what is asked for, last of all: it is what makes the folder a run."""
        values = {"recipe": self.recipe, "id": spec_id(self.spec), "init": _source(init), "spec": to_dict(self.spec)}
        records.write_json(self.path / "spec.json", values)

    def check_start(self, init: Path | None) -> None:
        """Refuse to go on with a run that began with other weights than `init`. Raises UserError."""
        if init is not None and _source(init) != records.read_json(self.path / "spec.json").get("init"):
            raise UserError(
                f"--init {init}: the run in {self.path} began with other weights, and --resume goes on with it"
            )

    @by_one_writer
    def reopen(self, choices: Choices) -> None:
        """Take up the run again: an earlier end no longer holds, and other choices may."""
        (self.path / "result.json").unlink(missing_ok=True)
        env = records.read_json(self.path / "env.json")
        records.write_json(self.path / "env.json", {**env, "choices": to_dict(choices)})

    def choices(self) -> Choices | None:
        """What was chosen when this run began, if it began."""
        if not (self.path / "spec.json").exists():
            return None
        return from_dict(Choices, records.read_field(self.path / "env.json", "choices"))

    @by_one_writer
    def save(self, kind: str, state: TrainState, run: int, meta: Mapping[str, Any]) -> None:
        """Write a checkpoint of one run, and remove those that are no longer wanted."""
        preprocessing = records.read_json(self.path / "preprocessing.json")
        meta = {**meta, "model": to_dict(self.spec.model), "preprocessing": preprocessing}
        native.save(self.checkpoints, kind, state.step, state.evaluated(run), state.tensors(run), meta)
        native.prune(self.checkpoints)

    @by_one_writer
    def forget_after(self, step: int) -> None:
        """Remove what was written after `step`: the resumed run writes it again."""
        records.keep_lines_until(self.metrics, step)
        for kind in ("best", "step"):
            for later in native.complete(self.checkpoints, kind):
                if native.step_of(later) > step:
                    native.remove(later)

    @by_one_writer
    def add_line(self, line: Mapping[str, Any]) -> None:
        """Add what an evaluation gave."""
        records.append_line(self.metrics, line)

    @by_one_writer
    def finish(self, status: str, reason: str | None, metrics: Mapping[str, Any]) -> None:
        """Write the result."""
        records.write_json(self.path / "result.json", {"status": status, "reason": reason, "metrics": dict(metrics)})


def _source(init: Path | None) -> dict[str, str] | None:
    """What a record says of the weights that a run started from."""
    return None if init is None else {"path": str(init), "checksum": native.checksum_of(init)}


def _of_a_beginning(file: Path) -> bool:
    """Whether this is what a process leaves that is killed before its folder is a run."""
    names = ("env.json", "preprocessing.json", "data.json", "checkpoint")
    return file.name in names or file.name.startswith(".")
