"""A run's directory while it trains: who may take it, and what is written when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

from vitlab.base.differences import told_differences
from vitlab.base.errors import UserError
from vitlab.base.identity import spec_id, whereabouts_of
from vitlab.base.spec import from_dict, to_dict
from vitlab.checkpoints import native
from vitlab.learner import of_model, of_task
from vitlab.preprocessing import Preprocessing
from vitlab.records._base import Status
from vitlab.records.checkpoint import CheckpointMeta
from vitlab.records.data import DataRecord, Found
from vitlab.records.history import add_to_history, cut_history
from vitlab.records.run import Environment, Result, RunDeclaration
from vitlab.train.machine.choices import Choices, recorded_choices
from vitlab.train.spec import RunSpec
from vitlab.train.step.state import TrainState

_SHOWN = 3  # changes in a message


def by_one_writer(method: Callable[..., None]) -> Callable[..., None]:
    """Let a method that writes do nothing in a process that is not the one to write."""

    @wraps(method)
    def write(self: "RunDir", *arguments: Any, **named: Any) -> None:
        if self.writes:
            method(self, *arguments, **named)

    return write


@dataclass(frozen=True)
class RunDir:
    """One run's directory; the formats are in `vitlab.records`.

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
    def events(self) -> Path:
        """The folder of TensorBoard's view of the evaluation lines, if there is one."""
        return self.path / "tensorboard"

    @property
    def begun(self) -> bool:
        """Whether a run stands here."""
        return RunDeclaration.exists(self.path)

    @property
    def status(self) -> Status | None:
        """How the run ended; None if it did not end."""
        result = Result.read_if_there(self.path)
        return result.status if result else None

    def claim(self, resume: bool) -> None:
        """Make sure that this folder is free, or holds this very run and may be resumed. Raises UserError."""
        if not self.begun:
            if self.path.exists() and any(not _of_a_beginning(file) for file in self.path.iterdir()):
                raise UserError(f"--out {self.path}: the folder is not empty and is not a run")
            return
        if not resume:
            raise UserError(
                f"--out {self.path}: there is a run already; continue it with --resume, or choose another folder"
            )
        recorded = RunDeclaration.read(self.path)
        if recorded.id != spec_id(self.spec):
            raise UserError(
                f"--resume {self.path}: the run there has other settings:\n"
                f"{told_differences(recorded.spec, to_dict(self.spec))}"
                "A run keeps its settings. To train on from its weights, with a new schedule:\n"
                f"  --init {self.path} and another --out"
            )

    def check_data(self, found: Found | None) -> None:
        """Make sure that a run that has begun goes on with the same pictures. Raises UserError with what changed."""
        if self.begun:
            check_same_data(self.path, found, f"--resume {self.path}")

    @by_one_writer
    def record(self, environment: Environment, preprocessing: Preprocessing, data: DataRecord) -> None:
        """Write what the run works on and with."""
        environment.write(self.path)
        preprocessing.write(self.path)
        self.record_data(data)

    @by_one_writer
    def record_data(self, data: DataRecord) -> None:
        """Write what is known of the pictures; of a stream more is known in the end."""
        data.write(self.path)

    def unreadable(self) -> tuple[str, ...]:
        """The training pictures that the run could not read so far, by name."""
        data = DataRecord.read_if_there(self.path)
        return data.train.names if data else ()

    @by_one_writer
    def declare(self, drawn: tuple[str, ...]) -> None:
        """Write what is asked for, last of all: it is what makes the folder a run."""
        spec = from_dict(RunSpec, to_dict(self.spec))  # a ratio of 4, built in Python, is 4.0: as its id has it
        declaration = RunDeclaration(
            recipe=self.recipe,
            id=spec_id(spec),
            spec=to_dict(spec),
            metrics=spec.measured(),
            selects=f"val_{spec.task.selects}",
            drawn=drawn,
            whereabouts=tuple(whereabouts_of(spec)),
        )
        declaration.write(self.path)

    @by_one_writer
    def reopen(self, choices: Choices) -> None:
        """Take up the run again: an earlier end no longer holds, and other choices may."""
        (self.path / Result.file).unlink(missing_ok=True)
        replace(Environment.read(self.path), choices=to_dict(choices)).write(self.path)

    def choices(self) -> Choices | None:
        """What was chosen when this run began, if it began."""
        return recorded_choices(self.path) if self.begun else None

    @by_one_writer
    def save(self, kind: str, state: TrainState, row: int, preprocessing: Preprocessing, progress: Any) -> None:
        """Write a checkpoint of the run that is `row` of `state`, and remove those that are no longer wanted."""
        spec, evaluated = self.spec, state.evaluated(row)
        meta = CheckpointMeta(
            step=state.step,
            model=to_dict(spec.model),
            task=to_dict(spec.task),
            preprocessing=to_dict(preprocessing),
            data=to_dict(spec.data),
            noise_seed=spec.seed if spec.evaluate_with_dropout else None,
            progress=progress,
            run=spec_id(spec),
        )
        native.save(
            self.checkpoints,
            kind,
            native.Tensors(of_model(evaluated), of_task(evaluated), state.tensors(row)),
            meta,
        )
        native.prune(self.checkpoints)

    @by_one_writer
    def forget_after(self, step: int) -> None:
        """Remove what was written after `step`: the resumed run writes it again."""
        cut_history(self.path, step)
        for kind in ("best", "step"):
            for later in native.complete(self.checkpoints, kind):
                if native.step_of(later) > step:
                    native.remove(later)

    @by_one_writer
    def add_line(self, line: Mapping[str, Any]) -> None:
        """Add what an evaluation gave."""
        add_to_history(self.path, line)

    @by_one_writer
    def finish(self, status: Status, reason: str | None, metrics: Mapping[str, Any], *, diverged: bool = False) -> None:
        """Write the result."""
        Result(status, reason, dict(metrics), spec_id(self.spec), diverged).write(self.path)


def _of_a_beginning(file: Path) -> bool:
    """Whether this is what a process leaves that is killed before its folder is a run."""
    names = ("env.json", "preprocessing.json", "data.json", "checkpoint")
    return file.name in names or file.name.startswith(".")


def check_same_data(run: Path, found: Found | None, what: str) -> None:
    """Make sure that a run's pictures are those that were found now. Raises UserError with what has changed."""
    recorded = DataRecord.read_if_there(run)
    if recorded is None or recorded.found is None or found is None:
        return
    changes = recorded.found.changes(found)
    if changes:
        more = f"; and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        raise UserError(
            f"{what}: the data are not those of {run}: {'; '.join(changes[:_SHOWN])}{more}. "
            "Bring them back, or start anew in another folder"
        )
