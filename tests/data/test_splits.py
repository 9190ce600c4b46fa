import itertools

import pytest
import torch

from vitlab.base.errors import DataError
from vitlab.data.splits import balanced, carve, hold_out, share

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


@pytest.mark.parametrize("fraction", [0.04, 0.99])
def test_of_two_images_of_a_class_one_is_on_each_side_and_a_single_one_is_trained_on(fraction: float):
    labels = torch.tensor([0] * 30 + [1] * 2 + [2])
    train, val = carve(labels, fraction, 0)
    assert labels[train].bincount()[1:].tolist() == [1, 1]
    assert labels[val].bincount().tolist() == [max(1, min(round(30 * fraction), 29)), 1]


def test_shares_are_part_of_each_other_and_have_every_class():
    labels = torch.tensor([0] * 30 + [1] * 7 + [2])
    shares = [share(labels, fraction) for fraction in (0.1, 0.25, 0.5, 1.0)]
    assert [labels[kept].bincount().tolist() for kept in shares] == [[3, 1, 1], [8, 2, 1], [15, 4, 1], [30, 7, 1]]
    for smaller, larger in itertools.pairwise(shares):
        assert set(smaller.tolist()) <= set(larger.tolist())
    assert shares[-1].tolist() == list(range(38))


def test_balanced_every_class_stands_as_often_as_the_largest():
    labels = torch.tensor([0, 1, 1, 1, 1, 1, 2, 2])
    chosen = balanced(labels)
    assert labels[chosen].bincount().tolist() == [5, 5, 5]
    assert set(chosen.tolist()) == set(range(8))


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_a_fraction_outside_its_range_is_refused(fraction: float):
    with pytest.raises(DataError, match=f"val_fraction={fraction}"):
        carve(LABELS, fraction, 0)
