"""This machine as an executor: the workers pretend."""

import signal

import pytest

from vitlab.base.errors import UserError
from vitlab.study.executor import local
from vitlab.study.executor._base import Ended, Job, Measured, executor_named
from vitlab.train.machine.cache import host


@pytest.fixture
def executor(pretended, tmp_path):
    with local.Spec().open(tmp_path / "study") as opened:
        yield opened


@pytest.fixture
def job(tmp_path):
    """`job("plain/seed-0", "plain/seed-1", jobs=2)`: one process that trains these runs."""

    def make(*names, jobs=1):
        runs = tmp_path / "study" / "runs"
        return Job("", tuple({"spec": {}, "folder": str(runs / name), "recipe": ""} for name in names), {}, jobs)

    return make


def all_ended(executor, count):
    ended = []
    while len(ended) < count:
        ended += executor.ended(0.2)
    return {each.job: each for each in ended}


def test_a_job_that_is_submitted_ends(executor, job, pretended):
    plain = job("plain/seed-0", "plain/seed-1")
    executor.submit(plain)
    assert all_ended(executor, 1) == {plain.id: Ended(plain.id)}
    assert executor.ended(0) == []
    assert pretended.trained == [["plain/seed-0", "plain/seed-1"]]


def test_there_is_room_for_as_many_as_share_the_machine(executor, job, pretended):
    pretended.when("a/seed-0", "finish", seconds=0.2)
    first, second, third = (job(f"{name}/seed-0", jobs=2) for name in "abc")
    executor.submit(first)
    assert executor.accepts(second)
    assert not executor.accepts(job("d/seed-0"))
    executor.submit(second)
    assert not executor.accepts(third)
    all_ended(executor, 2)
    assert executor.accepts(job("d/seed-0"))


@pytest.mark.parametrize(
    ("does", "failed"),
    [
        ({"does": "refuse", "reason": "no pictures"}, "no pictures"),
        ({"does": "die"}, "its process was killed; the machine may have run out of memory"),
    ],
)
def test_why_a_job_ended_is_told(executor, job, pretended, does, failed):
    pretended.when("plain/seed-0", **does)
    plain = job("plain/seed-0")
    executor.submit(plain)
    assert all_ended(executor, 1) == {plain.id: Ended(plain.id, failed)}
    executor.submit(job("deep/seed-0"))  # another worker takes it
    all_ended(executor, 1)


def test_what_is_cancelled_saves_and_says_so(executor, job, pretended):
    pretended.when("plain/seed-0", "wait")
    plain = job("plain/seed-0")
    executor.submit(plain)
    while not any(asked["do"] == "waiting" for asked in pretended.asked):
        assert executor.ended(0.01) == []
    executor.cancel(signal.SIGTERM)
    assert all_ended(executor, 1) == {plain.id: Ended(plain.id, None, interrupted=True)}


def test_jobs_that_are_measured_run_at_once(executor, job, pretended):
    pretended.pace(alone=0.25)
    assert executor.measure([job("", jobs=2)] * 2, 0.1) == Measured(0.25, 10.0)
    pretended.pace(refuse="no pictures")
    with pytest.raises(UserError, match="no pictures"):
        executor.measure([job("")], 0.1)


def test_its_host_is_this_machine(executor):
    assert executor.host() == host()
    assert local.Spec().measures


def test_it_is_found_by_its_name():
    assert executor_named("local") == executor_named({"name": "local"}) == local.Spec()
    with pytest.raises(UserError, match=r"unknown executor 'lokal'; did you mean local"):
        executor_named("lokal")
