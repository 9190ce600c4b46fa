from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from vitlab.base.errors import DataError
from vitlab.data.images import Images
from vitlab.data.loader import Loader
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


def loader(batch_size: int, **more: Any) -> Loader:
    return Loader(IMAGES, CHOSEN, AsTheyAre(), batch_size, SEEDS, **more)


def test_a_batch_is_the_stretch_of_the_stream_at_its_step():
    batch = loader(3).batch(2)  # positions 6 to 8: the last of epoch 0, two of epoch 1
    positions = torch.arange(6, 9)
    assert batch.images.shape == (2, 3, 1, 2, 3)
    assert torch.equal(batch.targets[..., 0], CHOSEN[indices(SEEDS, positions, 7)])
    assert torch.equal(batch.images[..., 0, 0, 0].long(), batch.targets[..., 0])  # pixels belong to their labels
    assert torch.equal(batch.keys, sample_keys(SEEDS, positions))


def test_an_epoch_has_each_chosen_image_once_and_no_other():
    whole = loader(1)
    seen = torch.cat([whole.batch(step).targets[0, :, 0] for step in range(whole.samples_per_epoch)])
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
    assert loader(6, repeats=3).samples_per_epoch == 21


class Slow(Images):
    """Pictures that remember when they were asked for, and when they were fetched."""

    log: ClassVar[list[str]] = []

    def ask(self, indices: Tensor) -> Callable[[], Tensor]:
        self.log.append("asked")
        return lambda: (self.log.append("fetched"), super(Slow, self).ask(indices)())[1]


def test_pictures_are_asked_for_before_they_are_needed_and_only_once():
    slow = Loader(Slow(IMAGES.pixels, IMAGES.labels), CHOSEN, AsTheyAre(), 2, SEEDS)
    Slow.log.clear()
    for step in range(3):
        slow.batch(step)
    assert Slow.log == ["asked"] * 3 + ["fetched", "asked", "fetched", "asked", "fetched"]


def test_no_images_are_refused():
    with pytest.raises(DataError, match="no images to train on"):
        Loader(IMAGES, CHOSEN[:0], AsTheyAre(), 2, SEEDS)
