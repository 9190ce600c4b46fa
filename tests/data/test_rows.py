from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.decode import Frame, decode
from vitlab.data.rows import Row, Rows, decoding

FRAME = Frame((4, 4), 1)


def shades(rows: list[Row]) -> list[int]:
    return [int(decode(row.picture["bytes"], FRAME)[0, 0, 0]) for row in rows]


def test_rows_come_as_they_are_stored(streamed: Callable[..., Rows]):
    rows = list(streamed(7, shards=3))
    assert shades(rows) == list(range(7))
    assert [row.label for row in rows] == [0, 1, 0, 1, 0, 1, 0]
    assert [row.name for row in rows][2:5] == [f"pets train shard {s}, row {r}" for s, r in ((0, 2), (1, 0), (1, 1))]


def test_an_order_has_every_row_once_and_is_another_in_every_epoch(streamed: Callable[..., Rows]):
    rows = streamed(60, shards=4)
    orders = [shades(list(rows.shuffled(seed, epoch, 60, 10))) for seed, epoch in ((1, 0), (1, 1), (2, 0))]
    assert all(sorted(order) == list(range(60)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert shades(list(rows.shuffled(1, 0, 60, 10))) == orders[0]


@pytest.mark.parametrize("label", [-1, 2, 0.5, None])
def test_a_label_that_is_no_class_is_refused(streamed: Callable[..., Rows], label: object):
    import datasets

    table = datasets.Dataset.from_dict(
        {"image": [{"bytes": b"", "path": None}], "label": [label]},
        features=datasets.Features({"image": datasets.Image(), "label": datasets.Value("float64")}),
    )
    with pytest.raises(DataError, match=r"pets train shard 0, row 0 has label .*; legal: 0 to 1") as caught:
        list(replace(streamed(1), table=table.to_iterable_dataset()))
    assert ("leave such pictures out of the table" in str(caught.value)) is (label == -1)


def test_the_order_never_changes(streamed: Callable[..., Rows]):
    """Recorded once: a run that is resumed must go on as it began."""
    assert shades(list(streamed(12, shards=3).shuffled(5, 2, 12, 4))) == [0, 8, 1, 2, 10, 4, 9, 3, 5, 6, 7, 11]


def test_a_buffer_of_one_shuffles_shards_only(streamed: Callable[..., Rows]):
    order = shades(list(streamed(12, shards=3).shuffled(1, 0, 12, 1)))
    parts = [order[start : start + 4] for start in (0, 4, 8)]
    assert sorted(parts) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_every_row_is_equally_likely_to_come_first_out_of_a_large_buffer(streamed: Callable[..., Rows]):
    rows = list(streamed(4))

    class Listed(Rows):
        def read(self, order):
            return iter(rows)

    same = streamed(4)
    listed = Listed(same.table, same.columns, same.num_classes, same.origin)
    counts = torch.zeros(4)
    for seed in range(400):
        counts[shades([next(listed.shuffled(seed, 0, 4, 100))])] += 1
    assert (counts - 100).abs().max() < 5 * (400 * 1 / 4 * 3 / 4) ** 0.5


def test_an_epoch_may_be_shorter_than_the_set_but_not_longer(streamed: Callable[..., Rows]):
    assert len(set(shades(list(streamed(10).shuffled(0, 0, 6, 3))))) == 6
    with pytest.raises(DataError, match="pets train has 10 rows, fewer than samples_per_epoch=11"):
        list(streamed(10).shuffled(0, 0, 11, 3))


def test_a_label_that_is_no_class_is_named(streamed: Callable[..., Rows]):
    rows = streamed(6, classes=3)
    narrow = Rows(rows.table, rows.columns, 2, rows.origin)
    with pytest.raises(DataError, match="pets train shard 0, row 2 has label 2; legal: 0 to 1"):
        list(narrow)


def test_workers_decode_rows(streamed: Callable[..., Rows]):
    pixels, unreadable = decoding(list(streamed(20, broken=[11])), FRAME, torch.device("cpu"))()
    assert list(unreadable) == [11]
    assert pixels[10, 0].unique().tolist() == [10]
