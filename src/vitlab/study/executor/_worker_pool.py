"""A pool of processes that train for a study: started when they are needed, kept, replaced when one dies."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from vitlab.base.errors import UserError
from vitlab.study.executor._base import Measured

LOG = "workers.log"  # in the study's folder: what the processes print, and the tracebacks of what failed
ENDING = 0.5  # seconds that a process gets to end; what it would lose by being killed is saved already


class Worker:
    """One process that does one thing at a time."""

    def __init__(self, log: Path):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as errors:
            # a session of its own: Ctrl-C reaches only us, and we tell the workers
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "vitlab.study.worker", *sys.argv],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
                start_new_session=True,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.asking, self.answers = self.process.stdin, self.process.stdout

    def ask(self, message: Mapping[str, Any]) -> None:
        """Give it something to do."""
        with suppress(BrokenPipeError):  # it has died, which the answer will tell
            self.asking.write(json.dumps(message).encode() + b"\n")
            self.asking.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for what it says; of one that has died, that it did and how."""
        line = self.answers.readline()
        return json.loads(line) if line.endswith(b"\n") else {"failed": self._death()}

    @property
    def alive(self) -> bool:
        """Whether it can be asked again."""
        return self.process.poll() is None

    def stop(self, signum: int) -> None:
        """Have it save what it trains, and stop."""
        self.process.send_signal(signum)

    def dismiss(self) -> None:
        """Close its input, which ends it."""
        with suppress(BrokenPipeError):
            self.asking.close()

    def end(self) -> None:
        """End it, and wait until it has ended."""
        self.dismiss()
        try:
            self.process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()

    def _death(self) -> str:
        code = self.process.wait()
        if code == -signal.SIGKILL:
            return "its process was killed; the machine may have run out of memory"
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"its process ended with {how}; {LOG} may say why"


class WorkerPool:
    """As many workers as were ever needed at once."""

    def __init__(self, log: Path):
        self.log = log
        self.workers: list[Worker] = []

    def idle(self, count: int, busy: Collection[Worker] = ()) -> list[Worker]:
        """That many workers, all alive, besides those that are `busy`: what has become of these is their answer."""
        for worker in self.workers.copy():
            if worker not in busy and not worker.alive:
                worker.end()
                self.workers.remove(worker)
        idle = [worker for worker in self.workers if worker not in busy]
        new = [Worker(self.log) for _ in range(count - len(idle))]
        self.workers += new
        return (idle + new)[:count]

    def measure(self, requests: Sequence[Mapping[str, Any]]) -> Measured:
        """What processes find that all measure at once, the slowest one's.

        Raises UserError if one cannot be measured.
        """
        team = self.idle(len(requests))
        for go in (False, True):
            for worker, request in zip(team, requests, strict=True):
                worker.ask({"do": "go"} if go else {"do": "measure", **request})
            answers = [worker.answer() for worker in team]
            failed = [answer["failed"] for answer in answers if "failed" in answer]
            if failed:
                self.end()  # the others wait for a word that will not come
                raise UserError(failed[0])
        return Measured(max(answer["seconds"] for answer in answers), answers[0]["steps_per_epoch"])

    def end(self) -> None:
        """End all of them, at the same time."""
        for worker in self.workers:
            worker.dismiss()
        for worker in self.workers:
            worker.end()
        self.workers = []


def with_an_answer(workers: list[Worker], seconds: float) -> list[Worker]:
    """Those that have something to say, waiting so long at most."""
    ready = wait([worker.answers.fileno() for worker in workers], seconds)
    return [worker for worker in workers if worker.answers.fileno() in ready]
