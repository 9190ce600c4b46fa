import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vitlab.augment.ops import original_crop
from vitlab.augment.stored import Cuts
from vitlab.base import env
from vitlab.base.errors import UserError
from vitlab.data import workers
from vitlab.data.decode import Frame
from vitlab.data.workers import Decoded, LookedAt, ahead, begin, begin_look
from vitlab.rng import sample_keys

FRAME, RGB = Frame((2, 3), 1), Frame((9, 9))


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


@pytest.mark.slow
def test_what_is_abandoned_is_not_worked_off(shelf):
    """What was asked for and nobody waits for must not delay the end of a process."""
    stored = shelf(4000)
    workers.begin(stored, range(4000), Frame((4, 4), 1))
    workers.abandon()
    time.sleep(0.3)
    assert len(stored.taken) < 4000
    assert workers.begin(shelf(3), range(3), Frame((4, 4), 1))().pixels.shape == (3, 1, 4, 4)  # new ones can begin


@pytest.mark.slow
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


# ---------------------------------------------------------------------------------------------- a process a thread


def wait_for_processes() -> None:
    """Have both threads decode until each has a process that is ready."""
    pool, noise = workers._pool(), np.zeros((20, 20), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    while len(pool._decoders) < 2:
        begin([buffer.getvalue()] * 64, range(64), FRAME)()
    for decoder in pool._decoders:
        assert decoder.ready.wait(60)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], None]]:
    """`ways(True)`: from now on two threads, each with a process of its own, as where there are many cores."""

    def choose(processes: bool) -> None:
        workers.abandon()
        monkeypatch.setattr(workers, "THREADS_SCALE_TO", 1 if processes else 2)
        monkeypatch.setattr(workers, "PATIENCE", 0.0)
        if processes:
            wait_for_processes()

    monkeypatch.setattr(workers, "process_cores", lambda: 2)
    yield choose
    workers.abandon()


@pytest.mark.slow
def test_processes_make_the_same_pictures(shelf: Callable, tmp_path: Path, ways: Callable[[bool], None]):
    noise = np.random.default_rng(0).integers(0, 256, (20, 24, 31, 3), dtype=np.uint8)
    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
    files, op = [tmp_path / f"{number}.jpg" for number in range(20)], original_crop.Spec(size=(5, 6))
    cuts = Cuts(op, op.draws(sample_keys(torch.tensor([0]), torch.arange(20))))

    def made() -> tuple[Decoded, Decoded, LookedAt, LookedAt]:
        whole, cut = begin(files, range(20), RGB)(), begin(files, range(20), RGB, cuts)()
        broken = begin_look(shelf(30, broken=[3, 20]), [20, 1, 3, 2], FRAME)
        return whole, cut, begin_look(files, range(20), RGB)(), broken()

    ways(False)
    by_threads = made()
    ways(True)
    by_processes = made()
    for here, there in zip(by_threads, by_processes, strict=True):
        readable = [place for place in range(len(here.pixels)) if place not in here.unreadable]
        assert torch.equal(here.pixels[readable], there.pixels[readable])
        assert here.unreadable == there.unreadable
    for here, there in zip(by_threads[2:], by_processes[2:], strict=True):
        assert np.array_equal(here.digests, there.digests)
        assert here.seen == there.seen
    assert by_threads[3].unreadable.keys() == {0, 2}


@pytest.mark.slow
def test_a_process_that_dies_is_no_bad_picture(shelf: Callable, ways: Callable[[bool], None]):
    ways(True)
    begin(shelf(20), range(20), FRAME)()
    decoders = list(workers._pool()._decoders)
    for decoder in decoders:
        decoder.process.kill()
    with pytest.raises(UserError, match="a process that decodes pictures ended with code -9"):
        begin(shelf(20), range(20), FRAME)()


@pytest.mark.slow
def test_a_little_work_starts_no_process_and_much_does_not_wait_for_one(
    shelf: Callable, ways: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
):
    ways(False)
    monkeypatch.setattr(workers, "THREADS_SCALE_TO", 1)
    monkeypatch.setattr(workers, "PATIENCE", 60.0)
    assert not begin(shelf(20), range(20), FRAME)().unreadable
    assert workers._pool()._decoders == []
    workers.abandon()
    monkeypatch.setattr(workers, "PATIENCE", 0.0)
    begin(shelf(20), range(20), FRAME)()
    (first, *_) = workers._pool()._decoders
    first.process.kill()  # before it could get ready
    first.process.wait()
    assert not begin(shelf(20), range(20), FRAME)().unreadable


@pytest.mark.slow
def test_what_is_abandoned_leaves_no_process(shelf: Callable, ways: Callable[[bool], None]):
    ways(True)
    begin(shelf(20), range(20), FRAME)()
    decoders = list(workers._pool()._decoders)
    assert decoders
    workers.abandon()
    assert all(decoder.process.returncode is not None for decoder in decoders)
