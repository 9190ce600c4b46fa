"""What a worker answers. In this process, but for one test: torch takes seconds to import."""

import json
import subprocess
import sys
from queue import SimpleQueue

import pytest

from tests.reading import read_json
from tests.study.conftest import OVERRIDES
from vitlab.base.errors import Interrupted, UserError
from vitlab.base.spec import to_dict, with_settings
from vitlab.study import worker
from vitlab.train.spec import RunSpec

TOLD = to_dict(OVERRIDES)


@pytest.fixture
def ask(monkeypatch):
    """`ask(messages…)`: what the worker says to them, in order, on its own output; then nobody asks any more."""

    class Enough(BaseException):
        def __getitem__(self, name):
            raise self

    def asking(*messages):
        said = []
        monkeypatch.setattr(worker, "_own_output", lambda: None)
        monkeypatch.setattr(worker, "_say", lambda answers, message: said.append(message))
        monkeypatch.setattr(worker, "_listen", lambda asked: [asked.put(each) for each in (*messages, Enough())])
        with pytest.raises(Enough):
            worker.main()
        return said

    return asking


@pytest.fixture
def training(base_run, tmp_path):
    """`training(0, 1, steps=3)`: a message that has these seeds trained at once."""

    def message(*seeds, **settings):
        specs = [with_settings(base_run(), {"seed": seed, "steps": 3} | settings) for seed in seeds]
        folders = [str(tmp_path / f"seed-{seed}") for seed in seeds]
        runs = [
            {"spec": to_dict(spec), "folder": folder, "recipe": "a cell"}
            for spec, folder in zip(specs, folders, strict=True)
        ]
        return {"do": "train", "runs": runs, "overrides": TOLD}

    return message


def test_runs_are_trained_into_their_folders(ask, training, tmp_path):
    assert ask(training(0, 4)) == [{"done": True}]
    for seed in (0, 4):
        assert read_json(tmp_path / f"seed-{seed}" / "result.json")["status"] == "finished"
        record = read_json(tmp_path / f"seed-{seed}" / "spec.json")
        assert (record["recipe"], record["spec"]["seed"]) == ("a cell", seed)


def test_finished_runs_stay_as_they_are(ask, training, tmp_path):
    ask(training(0))
    before = (tmp_path / "seed-0" / "result.json").stat().st_mtime_ns
    assert ask(training(0)) == [{"done": True}]
    assert (tmp_path / "seed-0" / "result.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (UserError("no pictures"), {"failed": "no pictures"}),
        (Interrupted(15), {"interrupted": 143}),
        (ZeroDivisionError("by zero"), {"failed": "ZeroDivisionError: by zero"}),
    ],
)
def test_what_goes_wrong_is_an_answer_and_it_goes_on(ask, training, monkeypatch, capsys, error, answer):
    calls = []

    def train(*_, **__):
        calls.append(1)
        if len(calls) == 1:
            raise error

    monkeypatch.setattr(worker, "train", train)
    assert ask(training(0), training(1)) == [answer, {"done": True}]
    assert ("Traceback" in capsys.readouterr().err) == isinstance(error, ZeroDivisionError)


def test_a_run_that_diverges_says_why_and_has_its_record(ask, training, tmp_path):
    (answer,) = ask(training(0, **{"optim.lr": 1e30}))
    assert "seed 0 stopped being a finite number at step" in answer["failed"]
    assert read_json(tmp_path / "seed-0" / "result.json")["reason"] == answer["failed"]


def test_it_waits_for_the_others_before_it_measures(base_run, monkeypatch):
    """The answer that it is ready comes first; no step that counts is taken before the word to go."""
    happened = []
    real = worker.Throughput.seconds_per_step

    def measure(throughput, seconds):
        happened.append(("measured", throughput.loop.state.step, seconds))
        return real(throughput, 0.0)

    class Queue(SimpleQueue):
        def get(self):
            happened.append("waited")
            return {"do": "go"}

    monkeypatch.setattr(worker.Throughput, "seconds_per_step", measure)
    monkeypatch.setattr(worker, "_say", lambda answers, message: happened.append(message))
    specs = [to_dict(with_settings(base_run(), {"seed": seed})) for seed in (0, 1)]
    answer = worker._measure({"specs": specs, "overrides": TOLD, "seconds": 0.4}, None, Queue())
    assert happened == [{"ready": True}, "waited", ("measured", 1, 0.4)]
    assert answer["seconds"] > 0
    assert answer["steps_per_epoch"] == pytest.approx(1293.3 / 16, abs=0.1)


def test_it_ends_when_nobody_can_ask_any_more(monkeypatch):
    ended, asked = [], SimpleQueue()
    monkeypatch.setattr(worker.os, "_exit", ended.append)
    monkeypatch.setattr(worker.sys, "stdin", ['{"do": "go"}\n'])
    worker._listen(asked)
    assert (asked.get(), ended) == ({"do": "go"}, [0])


@pytest.mark.slow
def test_as_a_process_it_keeps_its_answers_apart_from_what_is_printed(training):
    """Whatever else is written to standard output, by a library say, goes to standard error."""
    code = (
        "import vitlab.study.worker as worker\n"
        "real = worker.train\n"
        "def train(*arguments, **named):\n    print('printed'); return real(*arguments, **named)\n"
        "worker.train = train\n"
        "worker.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(json.dumps(training(0)) + "\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"done": True}
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == ("", 0)
    assert "printed" in err


@pytest.mark.slow
def test_cells_are_timed_in_turn_and_load_their_data_once(base_run, monkeypatch):
    loads, happened = [], []
    real = RunSpec.load_images
    monkeypatch.setattr(RunSpec, "load_images", lambda spec: loads.append(spec) or real(spec))
    monkeypatch.setattr(
        worker.Throughput,
        "timed",
        lambda self, seconds: happened.append(self.loop.spec.model.depth) or (0.1, 0.01, 1.0),
    )
    jobs = [{"specs": [to_dict(base_run({"model.depth": depth}))], "overrides": TOLD} for depth in (2, 3)]
    answer = worker._time({"jobs": jobs, "rounds": 2, "seconds": 0.1})
    assert answer == {"timed": [[(0.1, 0.01, 1.0)] * 2] * 2}
    assert happened == [2, 3, 2, 3]
    assert len(loads) == 1
