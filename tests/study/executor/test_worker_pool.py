"""Processes that only pretend: what becomes of their answers, and of them."""

import os
import signal
import time
from pathlib import Path

import pytest

from vitlab.base.errors import UserError
from vitlab.study.executor import _worker_pool as module
from vitlab.study.executor._worker_pool import LOG, WorkerPool, with_an_answer

REQUEST = {"specs": [{}], "overrides": {"micro_batch": 4}, "seconds": 0.1}


@pytest.fixture
def pool(pretended, tmp_path):
    started = WorkerPool(tmp_path / "study" / LOG)
    yield started
    started.end()


@pytest.fixture
def task(tmp_path):
    """`task("plain/seed-0")`: a message that has this run trained."""
    runs = tmp_path / "study" / "runs"
    return lambda *names: {
        "do": "train",
        "runs": [{"spec": {}, "folder": str(runs / name), "recipe": ""} for name in names],
        "overrides": {},
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


def test_a_worker_does_what_it_is_asked_and_is_kept(pool, task):
    (worker,) = pool.idle(1)
    for _ in range(2):
        worker.ask(task("plain/seed-0"))
        assert worker.answer() == {"done": True}
    assert pool.idle(1) == [worker]


def test_as_many_workers_as_were_ever_needed(pool):
    first = pool.idle(1)
    three = pool.idle(3)
    assert three[:1] == first
    assert len({worker.process.pid for worker in three}) == 3
    assert pool.idle(2) == three[:2]
    assert pool.workers == three


def test_busy_ones_are_not_idle(pool):
    one, two, three = pool.idle(3)
    assert pool.idle(1, busy=[one, three]) == [two]
    (four,) = pool.idle(1, busy=[one, two, three])
    assert four not in (one, two, three)


def test_one_that_died_is_replaced(pool):
    (worker,) = pool.idle(1)
    worker.process.kill()
    worker.process.wait()
    (other,) = pool.idle(1)
    assert other is not worker
    assert pool.workers == [other]


def test_a_busy_one_that_died_is_left_to_be_heard(pool, task):
    """Its answer is still to be taken in: that it died, and how."""
    (worker,) = pool.idle(1)
    worker.process.kill()
    worker.process.wait()
    (other,) = pool.idle(1, busy=[worker])
    assert other is not worker
    assert with_an_answer([worker], 5) == [worker]
    assert "killed" in worker.answer()["failed"]


@pytest.mark.parametrize(
    ("signum", "reason"),
    [
        (signal.SIGKILL, "its process was killed; the machine may have run out of memory"),
        (signal.SIGTERM, "its process ended with SIGTERM; workers.log may say why"),
    ],
)
def test_one_that_dies_says_how(pool, task, pretended, signum, reason):
    pretended.when("plain/seed-0", "die", signum=int(signum))
    (worker,) = pool.idle(1)
    worker.ask(task("plain/seed-0"))
    assert worker.answer() == {"failed": reason}
    assert not worker.alive


def test_one_that_ends_by_itself_says_so(pool, monkeypatch, tmp_path):
    starter = tmp_path / "broken"
    starter.write_text("#!/bin/sh\necho 'no such library' >&2\nexit 3\n")
    starter.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(starter))
    (worker,) = pool.idle(1)
    worker.process.wait()
    worker.ask({"do": "train"})  # to nobody
    assert worker.answer() == {"failed": "its process ended with exit code 3; workers.log may say why"}
    assert Path(pool.log).read_text() == "no such library\n"


def test_who_has_something_to_say(pool, task, pretended):
    pretended.when("slow/seed-0", "hang")
    slow, quick = pool.idle(2)
    slow.ask(task("slow/seed-0"))
    quick.ask(task("quick/seed-0"))
    assert with_an_answer([slow, quick], 10) == [quick]
    assert with_an_answer([slow], 0.01) == []


def test_all_measure_at_once_and_the_slowest_counts(pool, pretended):
    pretended.pace(alone=0.25)
    assert pool.measure([{**REQUEST}, {**REQUEST}]) == (0.25, 10.0)
    assert [each["do"] for each in pretended.asked] == ["measure", "measure"]
    assert len(pool.workers) == 2


def test_what_cannot_be_measured_ends_those_who_wait(pool, pretended):
    before = [worker.process.pid for worker in pool.idle(2)]
    pretended.pace(refuse_stacks="no pictures")
    with pytest.raises(UserError, match="no pictures"):
        pool.measure([REQUEST, REQUEST | {"specs": [{}, {}]}])
    assert pool.workers == []
    assert all(map(gone, before))
    assert pool.measure([REQUEST]) == (0.01, 10.0)


def test_all_end_with_the_pool(pool, pretended, task):
    """Whatever they do."""
    pretended.when("slow/seed-0", "hang")
    workers = pool.idle(2)
    workers[0].ask(task("slow/seed-0"))
    pool.end()
    assert pool.workers == []
    assert len(workers) == 2
    assert all(gone(worker.process.pid) for worker in workers)


def test_one_that_does_not_end_is_ended(pool, tmp_path, monkeypatch):
    starter = tmp_path / "stubborn"
    starter.write_text("#!/bin/sh\ntrap '' TERM\nwhile true; do sleep 0.05; done\n")
    starter.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(starter))
    monkeypatch.setattr(module, "ENDING", 0.1)
    (worker,) = pool.idle(1)
    pool.end()
    assert worker.process.returncode == -signal.SIGKILL


def test_workers_find_what_we_find_and_ctrl_c_is_ours(pool, tmp_path, monkeypatch):
    """A component of a user's own is on our path; a signal to our group must not end a step in the middle."""
    starter = tmp_path / "told"
    starter.write_text('#!/bin/sh\necho "$PYTHONPATH" >&2\nexec sleep 60\n')
    starter.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(starter))
    monkeypatch.syspath_prepend(tmp_path / "own")
    monkeypatch.setattr(module, "ENDING", 0.1)
    (worker,) = pool.idle(1)
    assert os.getpgid(worker.process.pid) != os.getpgid(0)
    for _ in range(200):
        if pool.log.read_text():
            break
        time.sleep(0.01)
    paths = pool.log.read_text().strip().split(os.pathsep)
    assert str(tmp_path / "own") == paths[0]
    assert all(os.path.isabs(path) for path in paths)
