from dataclasses import replace

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.data.splits import carve
from vitlab.data.stream import RowStream
from vitlab.train.split import split_training


def test_training_and_validation_are_all_of_the_training_pictures(tiny_run, digits):
    train, val = split_training(tiny_run(val_fraction=0.2), digits)
    kept, carved = carve(digits.train.labels, 0.2, 0)
    assert torch.equal(train, kept)
    assert sorted([*train.tolist(), *carved.tolist()]) == list(range(len(digits.train)))
    assert torch.equal(val.labels, digits.train.labels[carved])
    assert 0.19 < len(val) / len(digits.train) < 0.21


def test_the_runs_seed_leaves_it_as_it_is_and_val_seed_does_not(tiny_run, digits):
    train, _ = split_training(tiny_run(), digits)
    assert torch.equal(split_training(tiny_run(seed=5), digits)[0], train)
    assert not torch.equal(split_training(tiny_run(val_seed=5), digits)[0], train)


def test_without_a_fraction_all_are_trained_on(tiny_run, digits):
    train, val = split_training(tiny_run(val_fraction=0.0), digits)
    assert torch.equal(train, torch.arange(len(digits.train)))
    assert len(val) == 0


def test_nothing_is_carved_out_of_a_stream(tiny_run, digits):
    streamed = replace(digits, train=RowStream(rows=None, frame=None, samples_per_epoch=100, buffer=10))
    with pytest.raises(SpecError, match=r"val_fraction=0\.1 and data\.streaming=True: a stream cannot be split"):
        split_training(tiny_run(), streamed)
    train, val = split_training(tiny_run(val_fraction=0.0), streamed)
    assert (len(train), len(val)) == (0, 0)


def test_the_best_weights_cannot_be_chosen_where_no_picture_is_left_for_it(tiny_run, digits):
    firsts = torch.tensor([int((digits.train.labels == label).nonzero()[0]) for label in range(10)])
    few = replace(digits, train=digits.train.subset(firsts))
    with pytest.raises(SpecError, match="none are left: set weights=last"):
        split_training(tiny_run(weights="best"), few)
    assert len(split_training(tiny_run(), few)[0]) == 10
