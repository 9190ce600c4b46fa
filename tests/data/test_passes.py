from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data import passes
from vitlab.data.decode import Frame
from vitlab.data.passes import Passes, survey
from vitlab.data.rows import Rows

FRAME = Frame((4, 4), 1)


@pytest.fixture
def held_out(streamed: Callable[..., Rows], tmp_path: Path) -> Passes:
    """202 pictures of which numbers 3 and 150 are unreadable."""
    return survey("test", streamed(202, shards=2, broken=[3, 150]), FRAME, tmp_path / "survey.json", 0.01)[0]


def shades(pixels: torch.Tensor) -> list[int]:
    return pixels[..., 0, 0, 0].flatten().tolist()


READABLE = [number for number in range(202) if number not in (3, 150)]


def test_what_is_unreadable_is_left_out_and_named(streamed: Callable[..., Rows], tmp_path: Path):
    found, unreadable, _ = survey("test", streamed(202, broken=[3, 150]), FRAME, tmp_path / "survey.json", 0.01)
    assert unreadable == ("pets train shard 0, row 3", "pets train shard 0, row 150")
    assert found.positions.tolist() == READABLE
    assert found.labels.tolist() == [number % 2 for number in READABLE]


def test_a_survey_is_remembered(streamed: Callable[..., Rows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    memory, rows = tmp_path / "survey.json", streamed(202, broken=[3, 150])
    first = survey("test", rows, FRAME, memory, 0.01)
    monkeypatch.setattr(passes, "decoding", None)
    again = survey("test", rows, FRAME, memory, 0.01)
    assert again[1] == first[1]
    assert torch.equal(again[0].labels, first[0].labels)


def test_more_than_one_percent_is_refused(streamed: Callable[..., Rows], tmp_path: Path):
    with pytest.raises(DataError, match="2 of 199 test pictures are unreadable"):
        survey("test", streamed(199, broken=[3, 150]), FRAME, tmp_path / "survey.json", 0.01)


def test_batches_come_in_order_as_often_as_wanted(held_out: Passes):
    for _ in range(2):
        batches = list(held_out.batches(64))
        assert [len(labels) for _, labels in batches] == [64, 64, 64, 8]
        assert shades(torch.cat([pixels for pixels, _ in batches])) == READABLE
        assert torch.equal(torch.cat([labels for _, labels in batches]), held_out.labels)


def test_pixels_have_the_shape_of_what_is_asked(held_out: Passes):
    asked = torch.tensor([[180, 0], [3, 180]])
    pixels = held_out.ask(asked)()
    assert pixels.shape == (2, 2, 1, 4, 4)
    assert shades(pixels) == [READABLE[index] for index in asked.flatten()]


def test_it_reads_no_further_than_it_must(held_out: Passes, monkeypatch: pytest.MonkeyPatch):
    read, rows = [], list(held_out.rows)
    monkeypatch.setattr(Rows, "__iter__", lambda self: (read.append(row) or row for row in rows))
    held_out.ask(torch.tensor([9, 2]))()
    assert len(read) == READABLE[9] + 1


def test_subsets_in_ascending_order(held_out: Passes):
    part = held_out.subset(torch.tensor([4, 9, 199]))
    assert shades(next(part.batches(10))[0]) == [READABLE[index] for index in (4, 9, 199)]
    assert part.labels.tolist() == [READABLE[index] % 2 for index in (4, 9, 199)]
    assert list(held_out.subset(torch.tensor([], dtype=torch.int64)).batches(4)) == []
    with pytest.raises(ValueError, match="ascending"):
        held_out.subset(torch.tensor([9, 4]))


def test_what_has_become_unreadable_is_named(streamed: Callable[..., Rows]):
    unsuspecting = Passes(streamed(5, broken=[2]), torch.arange(5), torch.zeros(5, dtype=torch.int64), FRAME)
    with pytest.raises(DataError, match="shard 0, row 2 is unreadable"):
        list(unsuspecting.batches(5))


def test_labels_follow_the_device(held_out: Passes):
    moved = held_out.to("meta")
    assert moved.labels.device.type == next(moved.batches(2))[0].device.type == "meta"
