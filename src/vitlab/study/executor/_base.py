"""The contract of an executor: where the jobs of a study run.

    accepts(job)      whether there is room for it now
    submit(job)       have it run
    ended(seconds)    what has ended, waiting so long at most
    cancel(signum)    have everything that runs save and stop; what stopped is still told by `ended`
    measure(jobs)     how fast they are when they all run at once

A job is plain data: runs that one process trains at once, each into a run directory on a disk that all see. What has
become of a run is told by its directory, whatever became of its job; so an executor tells no more than that a job has
ended, and why if something went wrong.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from vitlab.base.spec import Component, from_dict


@dataclass(frozen=True)
class Job:
    """Runs that one process trains at once, as plain JSON values.

    `runs` are {"spec", "folder", "recipe"} each, `overrides` what the process is told of the machine. `jobs` of this
    kind share the host, itself included; it is expected to take `seconds` of the host, the others not counted.
    `data_of` is the folder of a run of the study that was trained on the same data, if there is one.
    """

    name: str  # for people
    runs: tuple[Mapping[str, Any], ...]
    overrides: Mapping[str, Any]
    jobs: int = 1
    seconds: float = 0.0
    data_of: str | None = None

    def work(self) -> dict[str, Any]:
        """What `vitlab.study.worker.run_job` is given, as JSON has it."""
        return {"runs": list(self.runs), "overrides": dict(self.overrides), "data_of": self.data_of}

    @property
    def id(self) -> str:
        """What names it among a study's jobs: where its first run stands."""
        return str(self.runs[0]["folder"])


class Ended(NamedTuple):
    """A job that no longer runs. `failed`: why, where something went wrong; `interrupted`: whether it was cancelled."""

    job: str  # its id
    failed: str | None = None
    interrupted: bool = False


class Measured(NamedTuple):
    """How fast a job is: seconds of a training step of all its runs."""

    step: float
    steps_per_epoch: float


class Timed(NamedTuple):
    """A job in one round: seconds of a step and of one image forward, and how much of that time it was computing, as a
    share of its threads; None on a device that does not tell.
    """

    step: float
    image: float
    busy: float | None


class Executor:
    """Base class of the executors."""

    def host(self) -> Mapping[str, Any]:
        """The kind of host that the jobs run on, as plain JSON values: what measurements are remembered for."""
        raise NotImplementedError

    def accepts(self, job: Job) -> bool:
        """Whether there is room for a job now. What is refused is offered again when something has ended."""
        return True

    def submit(self, job: Job) -> None:
        """Have a job run."""
        raise NotImplementedError

    def ended(self, seconds: float) -> list[Ended]:
        """The jobs that have ended since this was asked last, waiting for one so many seconds at most."""
        raise NotImplementedError

    def cancel(self, signum: int) -> None:
        """Have all jobs save and stop, as a process does that gets this signal."""
        raise NotImplementedError

    def measure(self, jobs: Sequence[Job], seconds: float) -> Measured:
        """How fast jobs of one kind are that run at once, the slowest one's figures; `seconds` of steps each.

        Raises UserError if one cannot be measured. Only of an executor that `measures`.
        """
        raise NotImplementedError

    def time_in_turn(self, jobs: Sequence[Job], rounds: int, seconds: float) -> list[list[Timed]]:
        """How long jobs take one after the other, by one process, round by round; `seconds` of steps each. Of each job
        its rounds. Raises UserError if that cannot be measured. Only of an executor that `measures`.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class ExecutorSpec(Component):
    """An executor's settings."""

    family: ClassVar[str] = "vitlab.study.executor"
    measures: ClassVar[bool] = True  # False: cells are trained as they are asked to be, or one by one
    here: ClassVar[bool] = False  # True: jobs run on this machine, so its device, cores and memory are theirs

    def open(self, study: Path) -> AbstractContextManager[Executor]:
        """The executor for the study in a folder, while the context lasts."""
        raise NotImplementedError


def executor_named(values: str | Mapping[str, Any]) -> ExecutorSpec:
    """An executor by its name, or by settings with a name. Raises SpecError for an unknown one."""
    return from_dict(ExecutorSpec, {"name": values} if isinstance(values, str) else values, "on")
