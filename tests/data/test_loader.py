from collections.abc import Callable
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.images import Cuts, Images
from vitlab.data.loader import Indexed, Loader, Streamed
from vitlab.data.order import indices
from vitlab.rng import sample_keys

IMAGES = Images(torch.arange(20, dtype=torch.uint8)[:, None, None, None].expand(20, 1, 2, 3), torch.arange(20))
CHOSEN = torch.tensor([1, 3, 5, 7, 9, 11, 13])
SEEDS = torch.tensor([4, 5])


class AsTheyAre:
    def needed(self, keys: Tensor, part: slice) -> Tensor | None:
        return torch.arange(keys.shape[1])[part].expand(len(keys), -1)

    def __call__(self, pixels: Tensor, labels: Tensor, keys: Tensor, rows: Tensor | None) -> tuple[Tensor, Tensor]:
        return pixels, labels[..., None]


def loader(batch_size: int, repeats: int = 1, part: slice | None = None, images: Images = IMAGES) -> Loader:
    return Loader(Indexed(images, CHOSEN, SEEDS, repeats), AsTheyAre(), batch_size, SEEDS, part)


def test_a_batch_is_the_stretch_of_the_stream_at_its_step():
    batch = loader(3).batch(2)  # positions 6 to 8: the last of epoch 0, two of epoch 1
    positions = torch.arange(6, 9)
    assert batch.images.shape == (2, 3, 1, 2, 3)
    assert torch.equal(batch.targets[..., 0], CHOSEN[indices(SEEDS, positions, 7)])
    assert torch.equal(batch.images[..., 0, 0, 0].long(), batch.targets[..., 0])  # pixels belong to their labels
    assert torch.equal(batch.keys, sample_keys(SEEDS, positions))


def test_an_epoch_has_each_chosen_image_once_and_no_other():
    whole = loader(1)
    seen = torch.cat([whole.batch(step).targets[0, :, 0] for step in range(whole.samples.per_epoch)])
    assert torch.equal(seen.sort().values, CHOSEN)


def test_the_stream_does_not_depend_on_the_batch_size():
    small, large = loader(2), loader(6)
    parts = [small.batch(step) for step in range(3)]
    assert torch.equal(torch.cat([part.images for part in parts], dim=1), large.batch(0).images)
    assert torch.equal(torch.cat([part.keys for part in parts], dim=1), large.batch(0).keys)


def test_any_step_can_come_first():
    straight = loader(4)
    last = [straight.batch(step) for step in range(6)][-1]
    assert torch.equal(loader(4).batch(5).images, last.images)


@pytest.mark.parametrize("part", [slice(0, 2), slice(2, 5), slice(5, 5)])
def test_a_process_gets_its_part_of_every_batch(part: slice):
    mine, whole = loader(5, part=part), loader(5)
    for step in (0, 1, 4):
        got, all_of_it = mine.batch(step), whole.batch(step)
        assert (got.size, all_of_it.size) == (5, 5)
        assert torch.equal(got.images, all_of_it.images[:, part])
        assert torch.equal(got.targets, all_of_it.targets[:, part])
        assert torch.equal(got.keys, all_of_it.keys[:, part])


def test_repeated_images_have_keys_of_their_own():
    batch = loader(6, repeats=3).batch(1)
    assert torch.equal(batch.targets[..., 0], CHOSEN[indices(SEEDS, torch.arange(6, 12), 7, repeats=3)])
    assert len(batch.keys.unique()) == 12
    assert loader(6, repeats=3).samples.per_epoch == 21


class Slow(Images):
    """Pictures that remember when they were asked for, and when they were fetched."""

    log: ClassVar[list[str]] = []

    def ask(self, indices: Tensor, cuts: Cuts | None = None) -> Callable[[], Tensor]:
        self.log.append("asked")
        return lambda: (self.log.append("fetched"), super(Slow, self).ask(indices, cuts)())[1]


def test_pictures_are_asked_for_before_they_are_needed_and_only_once():
    slow = loader(2, images=Slow(IMAGES.pixels, IMAGES.labels))
    Slow.log.clear()
    for step in range(3):
        slow.batch(step)
    assert Slow.log == ["asked"] * 3 + ["fetched", "asked", "fetched", "asked", "fetched"]


def test_no_images_are_refused():
    with pytest.raises(DataError, match="no images to train on"):
        Indexed(IMAGES, CHOSEN[:0], SEEDS)


class Counting:
    """A reader whose picture at position p is p + its seed; it notes where it was sent."""

    def __init__(self, seed: int):
        self.seed, self.at, self.leaps = seed, 0, 0

    def go_to(self, position: int) -> None:
        self.at, self.leaps = position, self.leaps + 1

    def read(self, count: int) -> tuple[Tensor, Tensor]:
        values = torch.arange(self.at, self.at + count) + self.seed
        self.at += count
        return values.to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 3), values


def streamed(part: slice | None = None) -> tuple[Loader, list[Counting]]:
    readers = [Counting(seed) for seed in SEEDS.tolist()]
    return Loader(Streamed(readers, 7), AsTheyAre(), 5, SEEDS, part), readers


@pytest.mark.parametrize("part", [slice(0, 5), slice(0, 2), slice(2, 5)])
def test_a_stream_is_read_on_and_each_run_has_its_own(part: slice):
    stream, readers = streamed(part)
    for step in (0, 0, 1, 2):  # a training looks at its first batch, then takes it
        batch = stream.batch(step)
        expected = (torch.arange(step * 5, step * 5 + 5) + SEEDS[:, None])[:, part]
        assert torch.equal(batch.targets[..., 0], expected)
        assert torch.equal(batch.images[..., 0, 0, 0].long(), expected)
    assert [reader.leaps for reader in readers] == [0, 0]


def test_a_resumed_stream_leaps_once():
    stream, readers = streamed()
    stream.batch(0)
    batch = stream.batch(20)
    assert torch.equal(batch.targets[..., 0], torch.arange(100, 105) + SEEDS[:, None])
    stream.batch(21)
    assert [reader.leaps for reader in readers] == [1, 1]
