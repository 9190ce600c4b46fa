"""Processes that only pretend: what becomes of their answers, and of them."""

import os
import signal
import time
from pathlib import Path

import pytest

from vitlab.base.errors import UserError
from vitlab.study import crew as module
from vitlab.study.crew import answered, crew

PACE = {"specs": [{}], "wishes": {"micro_batch": 4}, "seconds": 0.1}


@pytest.fixture
def team(pretended, tmp_path):
    with crew(tmp_path / "study" / "crew.log") as found:
        yield found


@pytest.fixture
def task(tmp_path):
    """`task("plain/seed-0")`: a message that has this run trained."""
    runs = tmp_path / "study" / "runs"
    return lambda *names: {
        "do": "train",
        "runs": [{"spec": {}, "folder": str(runs / name), "recipe": ""} for name in names],
        "wishes": {},
    }


def gone(pid):
    """Whether a process has ended; it may take a moment."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_a_worker_does_what_it_is_asked_and_is_kept(team, task):
    (worker,) = team.idle(1)
    for _ in range(2):
        worker.ask(task("plain/seed-0"))
        assert worker.answer() == {"done": True}
    assert team.idle(1) == [worker]


def test_as_many_workers_as_were_ever_needed(team):
    first = team.idle(1)
    three = team.idle(3)
    assert three[:1] == first
    assert len({worker.process.pid for worker in three}) == 3
    assert team.idle(2) == three[:2]
    assert team.workers == three


def test_busy_ones_are_not_idle(team):
    one, two, three = team.idle(3)
    assert team.idle(1, busy=[one, three]) == [two]
    (four,) = team.idle(1, busy=[one, two, three])
    assert four not in (one, two, three)


def test_one_that_died_is_replaced(team):
    (worker,) = team.idle(1)
    worker.process.kill()
    worker.process.wait()
    (other,) = team.idle(1)
    assert other is not worker
    assert team.workers == [other]


def test_a_busy_one_that_died_is_left_to_be_heard(team, task):
    """Its answer is still to be taken in: that it died, and how."""
    (worker,) = team.idle(1)
    worker.process.kill()
    worker.process.wait()
    (other,) = team.idle(1, busy=[worker])
    assert other is not worker
    assert answered([worker], 5) == [worker]
    assert "killed" in worker.answer()["failed"]


@pytest.mark.parametrize(
    ("signum", "reason"),
    [
        (signal.SIGKILL, "its process was killed; the machine may have run out of memory"),
        (signal.SIGTERM, "its process ended with SIGTERM; crew.log may say why"),
    ],
)
def test_one_that_dies_says_how(team, task, pretended, signum, reason):
    pretended.when("plain/seed-0", "die", signum=int(signum))
    (worker,) = team.idle(1)
    worker.ask(task("plain/seed-0"))
    assert worker.answer() == {"failed": reason}
    assert not worker.alive


def test_one_that_ends_by_itself_says_so(team, monkeypatch, tmp_path):
    starter = tmp_path / "broken"
    starter.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    starter.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(starter))
    (worker,) = team.idle(1)
    worker.process.wait()
    worker.ask({"do": "train"})  # to nobody
    assert worker.answer() == {"failed": "its process ended with exit code 3; crew.log may say why"}
    assert Path(team.log).read_text() == "no such library\n"


def test_who_has_something_to_say(team, task, pretended):
    pretended.when("slow/seed-0", "hang")
    slow, quick = team.idle(2)
    slow.ask(task("slow/seed-0"))
    quick.ask(task("quick/seed-0"))
    assert answered([slow, quick], 10) == [quick]
    assert answered([slow], 0.01) == []


def test_all_measure_at_once_and_the_slowest_counts(team, pretended):
    pretended.pace(alone=0.25)
    assert team.paces([{**PACE}, {**PACE}]) == (0.25, 0.0025, 10.0)
    assert [each["do"] for each in pretended.asked] == ["pace", "pace"]
    assert len(team.workers) == 2


def test_what_cannot_be_measured_ends_those_who_wait(team, pretended):
    before = [worker.process.pid for worker in team.idle(2)]
    pretended.pace(refuse_stacks="no pictures")
    with pytest.raises(UserError, match="no pictures"):
        team.paces([PACE, PACE | {"specs": [{}, {}]}])
    assert team.workers == []
    assert all(map(gone, before))
    assert team.paces([PACE]) == (0.01, 0.0001, 10.0)


def test_all_end_with_the_crew(pretended, tmp_path, task):
    """Whatever they do, and whatever happened."""
    pretended.when("slow/seed-0", "hang")
    workers = []

    def stumble():
        with crew(tmp_path / "crew.log") as team:
            workers.extend(team.idle(2))
            workers[0].ask(task("slow/seed-0"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    assert len(workers) == 2
    assert all(gone(worker.process.pid) for worker in workers)


def test_one_that_does_not_end_is_ended(pretended, tmp_path, monkeypatch):
    starter = tmp_path / "stubborn"
    starter.write_text("#!/bin/sh\ntrap '' TERM\nwhile true; do sleep 0.05; done\n")
    starter.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(starter))
    monkeypatch.setattr(module, "ENDING", 0.1)
    with crew(tmp_path / "crew.log") as team:
        (worker,) = team.idle(1)
    assert worker.process.returncode == -signal.SIGKILL


def test_workers_find_what_we_find_and_ctrl_c_is_ours(pretended, tmp_path, monkeypatch):
    """A component of a user's own is on our path; a signal to our group must not end a step in the middle."""
    starter = tmp_path / "told"
    starter.write_text('#!/bin/sh\necho "$PYTHONPATH" >&2\nexec sleep 60\n')
    starter.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(starter))
    monkeypatch.syspath_prepend(tmp_path / "own")
    monkeypatch.setattr(module, "ENDING", 0.1)
    with crew(tmp_path / "crew.log") as team:
        (worker,) = team.idle(1)
        assert os.getpgid(worker.process.pid) != os.getpgid(0)
        for _ in range(200):
            if team.log.read_text():
                break
            time.sleep(0.01)
    paths = team.log.read_text().strip().split(os.pathsep)
    assert str(tmp_path / "own") == paths[0]
    assert all(os.path.isabs(path) for path in paths)
