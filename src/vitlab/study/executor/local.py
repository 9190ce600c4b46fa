"""This machine: a pool of worker processes, as many in parallel as the jobs allow."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from vitlab.base.errors import UserError
from vitlab.study.executor._base import Ended, Executor, ExecutorSpec, Job, Measured, Timed
from vitlab.study.executor._worker_pool import LOG, Worker, WorkerPool, with_an_answer
from vitlab.train.machine.cache import host


class Local(Executor):
    """One worker a job."""

    def __init__(self, pool: WorkerPool):
        self.pool = pool
        self.running: dict[Worker, Job] = {}

    def host(self) -> Mapping[str, Any]:
        return host()

    def accepts(self, job: Job) -> bool:
        share = sum(1 / other.jobs for other in self.running.values()) + 1 / job.jobs
        return share < 1 + 1e-9

    def submit(self, job: Job) -> None:
        (worker,) = self.pool.idle(1, busy=self.running)
        self.running[worker] = job
        worker.ask({"do": "train", **job.work()})

    def ended(self, seconds: float) -> list[Ended]:
        ended = []
        for worker in with_an_answer(list(self.running), seconds):
            job, answer = self.running.pop(worker), worker.answer()
            ended.append(Ended(job.id, answer.get("failed"), "interrupted" in answer))
        return ended

    def cancel(self, signum: int) -> None:
        for worker in self.running:
            worker.stop(signum)

    def measure(self, jobs: Sequence[Job], seconds: float) -> Measured:
        requests = [
            {"specs": [run["spec"] for run in job.runs], "overrides": job.overrides, "seconds": seconds} for job in jobs
        ]
        return self.pool.measure(requests)

    def time_in_turn(self, jobs: Sequence[Job], rounds: int, seconds: float) -> list[list[Timed]]:
        (worker,) = self.pool.idle(1)
        specs = [{"specs": [run["spec"] for run in job.runs], "overrides": job.overrides} for job in jobs]
        worker.ask({"do": "time", "jobs": specs, "rounds": rounds, "seconds": seconds})
        answer = worker.answer()
        if "failed" in answer:
            raise UserError(answer["failed"])
        return [[Timed(*each) for each in job] for job in answer["timed"]]


@dataclass(frozen=True)
class Spec(ExecutorSpec):
    """No settings: how many processes share the machine is each job's."""

    here: ClassVar[bool] = True

    @contextmanager
    def open(self, study: Path) -> Iterator[Executor]:
        pool = WorkerPool(study / LOG)
        try:
            yield Local(pool)
        finally:
            pool.end()
