import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.splits import carve, hold_out

LABELS = torch.tensor([0] * 40 + [1] * 20 + [2] * 10)[torch.randperm(70, generator=torch.Generator().manual_seed(0))]


def test_every_class_gives_its_fraction():
    train, val = carve(LABELS, 0.2, seed=3)
    assert LABELS[val].bincount().tolist() == [8, 4, 2]
    assert torch.equal(torch.cat([train, val]).sort().values, torch.arange(70))  # each image once


def test_the_seed_decides():
    assert torch.equal(carve(LABELS, 0.2, 3)[1], carve(LABELS, 0.2, 3)[1])
    assert not torch.equal(carve(LABELS, 0.2, 3)[1], carve(LABELS, 0.2, 4)[1])


def test_a_split_never_changes():
    """Recorded once: a split that moved would put validation images of old runs into the training of new ones."""
    assert hold_out(torch.arange(12) % 3, [1, 2, 0], seed=0)[1].tolist() == [1, 3, 4]


def test_every_image_is_held_out_equally_often():
    counts = sum(torch.bincount(carve(LABELS, 0.5, seed)[1], minlength=70) for seed in range(400))
    assert (counts - 200).abs().max() < 5 * 10  # 5 standard deviations of a binomial


def test_fraction_zero_gives_no_validation():
    train, val = carve(LABELS, 0.0, 0)
    assert torch.equal(train, torch.arange(70))
    assert len(val) == 0


@pytest.mark.parametrize(("fraction", "side"), [(0.04, "validation"), (0.99, "training")])
def test_a_class_without_an_image_on_one_side_is_refused(fraction: float, side: str):
    with pytest.raises(DataError, match=f"val_fraction={fraction} leaves class .*without a {side} image"):
        carve(LABELS, fraction, 0)


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_a_fraction_outside_its_range_is_refused(fraction: float):
    with pytest.raises(DataError, match=f"val_fraction={fraction}"):
        carve(LABELS, fraction, 0)
