import threading
import time
from collections.abc import Callable

import pytest

from vitlab.base import env
from vitlab.data import workers
from vitlab.data.decode import Frame
from vitlab.data.workers import ahead, begin

FRAME = Frame((2, 3), 1)


def test_rows_are_decoded_in_the_order_asked_for(shelf: Callable):
    rows = [4, 0, 19, 4, *range(20)]
    pixels, unreadable = begin(shelf(20), rows, FRAME)()
    assert pixels.shape == (24, 1, 2, 3)
    assert pixels.flatten(1).tolist() == [[row] * 6 for row in rows]
    assert not unreadable


def test_what_is_unreadable_is_told_by_its_place(shelf: Callable):
    pixels, unreadable = begin(shelf(30, broken=[3, 20]), [20, 1, 3, 2], FRAME)()
    assert unreadable.keys() == {0, 2}
    assert "not a picture" in unreadable[0]
    assert pixels[[1, 3], 0, 0, 0].tolist() == [1, 2]


def test_workers_begin_before_anyone_waits():
    read = threading.Event()

    class Watched:
        def __getitem__(self, row: int) -> bytes:
            read.set()
            return b""

    waiting = begin(Watched(), [0], FRAME)
    assert read.wait(timeout=10)
    assert list(waiting().unreadable) == [0]


def test_another_error_is_not_taken_for_a_bad_picture():
    with pytest.raises(IndexError):
        begin([], [0], FRAME)()


def test_nothing_is_nothing(shelf: Callable):
    assert begin(shelf(1), [], FRAME)().pixels.shape == (0, 1, 2, 3)


def test_a_few_promises_are_made_ahead():
    made: list[int] = []

    def promise(number: int) -> Callable[[], int]:
        made.append(number)
        return lambda: number

    kept = ahead(map(promise, range(5)), 2)
    assert made == []
    assert next(kept) == 0
    assert made == [0, 1, 2]
    assert [*kept] == [1, 2, 3, 4]
    assert [*ahead(map(promise, range(2)), 5)] == [0, 1]


@pytest.mark.parametrize(("processes", "threads"), [(1, 8), (4, 2), (16, 1)])
def test_processes_on_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch, processes: int, threads: int):
    monkeypatch.setattr(env, "usable_cores", lambda: 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
    assert workers._pool.__wrapped__()._max_workers == threads


def test_what_is_abandoned_is_not_worked_off(shelf):
    """What was asked for and nobody waits for must not delay the end of a process."""
    stored = shelf(4000)
    workers.begin(stored, range(4000), Frame((4, 4), 1))
    workers.abandon()
    time.sleep(0.3)
    assert len(stored.taken) < 4000
    assert workers.begin(shelf(3), range(3), Frame((4, 4), 1))().pixels.shape == (3, 1, 4, 4)  # new ones can begin


def test_ctrl_c_while_pictures_are_waited_for_abandons_them(shelf):
    stored = shelf(4000)

    def interrupted():
        raise KeyboardInterrupt

    def promises():
        yield interrupted
        yield workers.begin(stored, range(4000), Frame((4, 4), 1))

    with pytest.raises(KeyboardInterrupt):
        list(workers.ahead(promises(), 2))
    time.sleep(0.3)
    assert len(stored.taken) < 4000
