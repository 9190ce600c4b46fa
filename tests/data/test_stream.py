from collections.abc import Callable

import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.decode import Frame
from vitlab.data.rows import Rows
from vitlab.data.stream import RowReader, RowStream

FRAME = Frame((4, 4), 1)


@pytest.fixture
def reader(streamed: Callable[..., Rows]) -> Callable[..., RowReader]:
    """`reader(50, seed=1, broken=[3])`: of a stream of fifty pictures with buffer 10."""

    def make(count: int, seed: int = 1, max_unreadable: float = 0.01, **more: object) -> RowReader:
        return RowStream(streamed(count, **more), FRAME, count, 10, max_unreadable).reader(seed)

    return make


def shades(reader: RowReader, count: int) -> list[int]:
    pixels, labels = reader.read(count)
    assert pixels.shape == (count, 1, 4, 4)
    assert torch.equal(pixels[:, 0, 0, 0].long() % 2, labels)  # pixels belong to their labels
    return pixels[:, 0, 0, 0].tolist()


@pytest.mark.slow
def test_epochs_follow_each_other_each_in_an_order_of_its_own(reader: Callable):
    read = shades(reader(90, shards=3), 180)
    assert sorted(read[:90]) == sorted(read[90:]) == list(range(90))
    assert read[:90] != read[90:]
    assert shades(reader(90, seed=2, shards=3), 90) != read[:90]


@pytest.mark.slow
def test_counts_make_no_difference(reader: Callable):
    straight = shades(reader(70), 200)
    pieces = reader(70)
    assert [shade for count in (1, 63, 64, 2, 70) for shade in shades(pieces, count)] == straight


@pytest.mark.slow
def test_any_position_can_come_first(reader: Callable):
    straight = shades(reader(100, shards=2), 300)
    leaping = reader(100, shards=2)
    for position in (64, 0, 99, 250, 100, 101, 1):
        leaping.go_to(position)
        assert shades(leaping, 50) == straight[position : position + 50]


@pytest.mark.slow
def test_in_an_unreadable_pictures_place_stands_the_next(reader: Callable):
    broken = (5, 6, 40, 69)
    whole, damaged = shades(reader(70), 280), reader(70, broken=broken, max_unreadable=1.0)
    expected = [next(shade for shade in whole[place:] if shade not in broken) for place in range(270)]
    assert shades(damaged, 200) == expected[:200]
    assert sorted(damaged.unreadable) == sorted(f"pets train shard 0, row {row}" for row in broken)
    for position in (whole.index(6), whole.index(69) + 70):
        damaged.go_to(position)
        assert shades(damaged, 100) == expected[position : position + 100]


@pytest.mark.slow
def test_one_percent_is_tolerated_and_clearly_more_is_refused(reader: Callable):
    reader(200, broken=[7, 8]).read(1000)
    with pytest.raises(DataError, match=r"\d+ of \d+ train pictures are unreadable .*pets train shard 0, row \d"):
        reader(200, broken=range(10)).read(1000)


def test_bad_luck_at_the_beginning_is_not_enough(reader: Callable):
    """Two of the first 64 are three percent, and may be all there are."""
    ill_fated = reader(1000, broken=[0, 1])
    ill_fated.read(64)
    assert len(ill_fated.unreadable) == 2


def test_a_label_that_is_no_class_stops_the_reader(streamed: Callable[..., Rows]):
    rows = streamed(6, classes=3)
    narrow = RowStream(Rows(rows.table, rows.columns, 2, rows.origin), FRAME, 6, 2)
    with pytest.raises(DataError, match="label 2; legal: 0 to 1"):
        narrow.reader(0).read(6)


def test_the_device_and_the_record(streamed: Callable[..., Rows]):
    five = RowStream(streamed(5), FRAME, 5, 10_000)
    assert five.order == "a shuffle within a buffer of 10,000 images, because the set is streamed"
    assert len(five) == 5
    pixels, labels = five.to("meta").reader(0).read(3)
    assert (pixels.device.type, labels.device.type) == ("meta", "meta")
