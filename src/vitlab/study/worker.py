"""A process that trains for a study: `python -m vitlab.study.worker`, asked and answering in lines of JSON.

    {"do": "train", "runs": [{"spec", "folder", "recipe"}, …], "overrides"}  -> {"done": true} or {"failed": reason}
    {"do": "measure", "specs": […], "overrides", "seconds"}  -> {"ready": true}, then waits for
    {"do": "go"}                                             -> {"seconds": of a step, "steps_per_epoch"}
    {"do": "time", "jobs": [{"specs", "overrides"}, …], "rounds", "seconds"}  -> {"timed": of each job its rounds}

Whoever asks owns the other end of standard input: when it closes, even because that process was killed, this one ends
at once. Runs in training go on from their last checkpoint when the study is taken up again.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

from vitlab.base.errors import Interrupted, UserError
from vitlab.base.spec import from_dict
from vitlab.data.images import ImageSet
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides
from vitlab.train.machine.throughput import Throughput
from vitlab.train.spec import RunSpec

Message = dict[str, Any]


def main() -> None:
    """Do what is asked until nobody can ask any more."""
    sys.argv = sys.argv[1:] or sys.argv  # the command of whoever asks, which is what a run's record should name
    answers = _own_output()
    asked: SimpleQueue[Message] = SimpleQueue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    while True:
        message = asked.get()
        try:
            match message["do"]:
                case "measure":
                    answer = _measure(message, answers, asked)
                case "time":
                    answer = _time(message)
                case _:
                    answer = _train(message)
        except Interrupted as stop:
            answer = {"interrupted": stop.code}
        except UserError as error:
            answer = {"failed": str(error)}
        except Exception as error:  # whatever it is, the other runs of the study go on
            with suppress(OSError):  # the disk may be what failed
                traceback.print_exc()
            answer = {"failed": f"{type(error).__name__}: {error}"}
        _say(answers, answer)


def _own_output() -> TextIO:
    """Standard output for answers alone: whatever else is printed goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _listen(asked: SimpleQueue[Message]) -> None:
    for line in sys.stdin:
        asked.put(json.loads(line))
    os._exit(0)


def _say(answers: TextIO, message: Message) -> None:
    answers.write(json.dumps(message) + "\n")


def run_job(job: Mapping[str, Any]) -> None:
    """Train the runs of a job, {"runs": […], "overrides": {…}}, where they have not ended yet: an executor's work.

    Raises UserError for what a user can mend, Interrupted after a signal; both times the runs' records say so.
    """
    specs = [from_dict(RunSpec, run["spec"]) for run in job["runs"]]
    folders, names = [Path(run["folder"]) for run in job["runs"]], [run["recipe"] for run in job["runs"]]
    data_of = Path(job["data_of"]) if job.get("data_of") else None
    train(specs, folders, recipe=names, overrides=from_dict(Overrides, job["overrides"]), resume=True, data_of=data_of)


def _train(message: Message) -> Message:
    run_job(message)
    return {"done": True}


def _time(message: Message) -> Message:
    """All jobs in turn, round by round; those on the same data share them."""
    loaded: dict[str, ImageSet] = {}
    ready = []
    for job in message["jobs"]:
        specs = [from_dict(RunSpec, spec) for spec in job["specs"]]
        data = json.dumps([job["specs"][0][name] for name in ("data", "augment")])
        if data not in loaded:
            loaded[data] = specs[0].load_images()
        ready.append(Throughput(specs, from_dict(Overrides, job["overrides"]), loaded[data]))
    timed: list[list[tuple[float, float, float | None]]] = [[] for _ in ready]
    for _ in range(message["rounds"]):
        for throughput, rounds in zip(ready, timed, strict=True):
            rounds.append(throughput.timed(message["seconds"]))
    return {"timed": timed}


def _measure(message: Message, answers: TextIO, asked: SimpleQueue[Message]) -> Message:
    """Get ready, wait until the others are too, then measure."""
    specs = [from_dict(RunSpec, spec) for spec in message["specs"]]
    throughput = Throughput(specs, from_dict(Overrides, message["overrides"]))
    _say(answers, {"ready": True})
    asked.get()
    seconds = throughput.seconds_per_step(message["seconds"])
    return {"seconds": seconds, "steps_per_epoch": throughput.loop.steps_per_epoch}


if __name__ == "__main__":
    main()
