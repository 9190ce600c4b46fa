from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.decode import Frame
from vitlab.data.encoded import Encoded
from vitlab.data.images import Images
from vitlab.data.ingest import Listing, Rules, Source, divided, fits, ingest

FRAME = Frame((4, 4), 1)
RULES = Rules(0.1)


@pytest.fixture
def set_of(on_shelf: Callable, cache_folder: Path) -> Callable[..., Source]:
    """A source of 250 training and 110 test pictures, with these unreadable ones."""

    def make(train: list[int] = [], test: list[int] = []) -> Source:  # noqa: B006
        splits = {"train": on_shelf(250, train), "test": on_shelf(110, test)}
        return Source("shelf", f"{train} {test}", lambda: Listing(splits, ("even", "odd")))

    return make


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: 8 * 360 * 16 - 1)


def test_an_eighth_of_the_memory_is_the_limit():
    frame = Frame((10, 20), 3)
    assert fits(100, frame, 8 * 100 * 600)
    assert not fits(100, frame, 8 * 100 * 600 - 1)


def test_a_small_set_is_decoded_and_a_large_one_stays_as_it_is(
    set_of: Callable, monkeypatch: pytest.MonkeyPatch, little_memory: None
):
    large = ingest(set_of(), FRAME, RULES)
    assert isinstance(large.train, Encoded)
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: 8 * 360 * 16)
    small = ingest(set_of(), FRAME, RULES)
    assert isinstance(small.train, Images)
    assert small.train.pixels[:, 0, 0, 0].tolist() == list(range(250))


def test_either_way_index_pixels_and_what_is_missing_are_the_same(set_of: Callable, monkeypatch: pytest.MonkeyPatch):
    found = {}
    for memory in (0, 1 << 40):
        monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda memory=memory: memory)
        found[memory] = ingest(set_of(train=[0, 77], test=[109]), FRAME, RULES)
    large, small = found.values()
    assert (type(large.train), type(small.train)) == (Encoded, Images)
    assert large.unreadable == small.unreadable == {"train": ("picture 0", "picture 77"), "test": ("picture 109",)}
    for split in ("train", "test"):
        one, other = getattr(small, split), getattr(large, split)
        assert len(one) == {"train": 248, "test": 109}[split]
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.pixels, other.ask(torch.arange(len(other)))())


@pytest.mark.slow
@pytest.mark.parametrize("memory", [1 << 40, 0])
def test_more_than_one_percent_is_refused(set_of: Callable, monkeypatch: pytest.MonkeyPatch, memory: int):
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: memory)
    for _ in range(2):  # remembered or not
        with pytest.raises(DataError, match=r"3 of 250 train pictures .* \(1.2%.*picture 5: it is not a picture.*; pi"):
            ingest(set_of(train=[5, 6, 7]), FRAME, RULES)
    with pytest.raises(DataError, match="2 of 110 test pictures"):
        ingest(set_of(test=[5, 6]), FRAME, RULES)


@pytest.mark.parametrize("memory", [1 << 40, 0])
def test_the_second_time_nothing_is_looked_at(set_of: Callable, monkeypatch: pytest.MonkeyPatch, memory: int):
    monkeypatch.setattr("vitlab.data.ingest.smallest_memory", lambda: memory)
    first = ingest(set_of(train=[9]), FRAME, RULES)
    source = set_of(train=[9])
    second = ingest(source, FRAME, RULES)
    assert source.open().splits["train"].stored.taken == []
    assert second.unreadable == first.unreadable
    assert torch.equal(second.train.labels, first.train.labels)
    ingest(set_of(train=[9]), Frame((5, 5), 1), RULES)  # of another size: decoded again, or not looked at


def test_other_sizes_share_what_is_known_to_be_unreadable(set_of: Callable, little_memory: None):
    ingest(set_of(train=[9]), FRAME, RULES)
    source = set_of(train=[9])
    assert len(ingest(source, Frame((50, 50), 1), RULES).train) == 249
    assert source.open().splits["train"].stored.taken == []


def test_labels_are_checked_before_anything_is_decoded(on_shelf: Callable, cache_folder: Path):
    splits = {"train": on_shelf(9, classes=3), "test": on_shelf(9)}
    with pytest.raises(DataError, match="train image 2 has label 2; legal: 0 to 1"):
        ingest(Source("shelf", "", lambda: Listing(splits, ("even", "odd"))), FRAME, RULES)
    assert splits["train"].stored.taken == []


# -------------------------------------------------------------------------------------------------------- dividing


def test_a_set_without_a_test_split_is_divided_class_by_class(on_shelf: Callable):
    whole = on_shelf(200, classes=4)
    splits, again = (divided(Listing({"train": whole}, tuple("abcd")), 0.1).splits for _ in range(2))
    assert splits["test"].labels.bincount().tolist() == [5] * 4
    assert splits["test"].rows.tolist() == again["test"].rows.tolist()
    both = torch.cat([splits["train"].rows, splits["test"].rows])
    assert both.sort().values.tolist() == list(range(200))


def test_the_division_never_changes(on_shelf: Callable):
    """Recorded once: scores on a folder are comparable only on the same test pictures."""
    assert divided(Listing({"train": on_shelf(20)}, ("a", "b")), 0.2).splits["test"].rows.tolist() == [1, 3, 12, 18]


def test_every_class_of_two_or_more_is_tested(on_shelf: Callable):
    few = on_shelf(7, classes=4)  # two pictures of each class, one of the last
    splits = divided(Listing({"train": few}, tuple("abcd")), 0.1).splits
    assert sorted(splits["test"].labels.tolist()) == [0, 1, 2]
    assert sorted(splits["train"].labels.tolist()) == [0, 1, 2, 3]


def test_a_test_split_without_labels_is_refused(on_shelf: Callable):
    test = on_shelf(4)
    unlabelled = replace(test, labels=torch.full((4,), -1))
    with pytest.raises(DataError, match=r"the test split has no labels; choose another one"):
        divided(Listing({"train": test, "test": unlabelled}, ("a", "b")), 0.1)


def test_an_empty_split_is_refused(on_shelf: Callable):
    with pytest.raises(DataError, match="the test split has no picture"):
        divided(Listing({"train": on_shelf(4), "test": on_shelf(0)}, ("a", "b")), 0.1)


def test_where_no_class_has_two_pictures_none_can_be_held_out(on_shelf: Callable):
    with pytest.raises(DataError, match="no class has two pictures, of which one could be held out"):
        divided(Listing({"train": on_shelf(2)}, ("a", "b")), 0.1)
