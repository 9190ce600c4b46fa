"""Tables of names: what words in braces stand for, and which row counts."""

import pytest
import torch

from vitlab.base.errors import CheckpointError
from vitlab.checkpoints.source._rows import TRANSPOSED, Row, bound


def renamed(rows, tensors):
    """All tensors of theirs that have a row, under our names, and the names of the others."""
    found, left = bound(rows, tensors, "theirs")
    ours = {}
    for each in found:
        ours |= each.read(tensors)
    return ours, left


def test_a_number_may_be_greater_by_one_on_either_side():
    rows = [Row("stages.{n}.blocks.{m}.{p}", "block{n+1}/unit{m+1}/{p}")]
    theirs = {"block1/unit12/kernel": torch.ones(2)}
    ours, left = renamed(rows, theirs)
    assert (ours.keys(), left) == ({"stages.0.blocks.11.kernel"}, [])
    back, _ = bound(rows, ours, "ours")
    assert back[0].write(ours).keys() == theirs.keys()


@pytest.mark.parametrize("name", ["block0/x", "blockx/x", "block01/x", "block-1/x", "block/x", f"block{'9' * 5000}/x"])
def test_what_is_no_number_from_one_is_left(name):
    assert renamed([Row("stages.{n}.{p}", "block{n+1}/{p}")], {name: torch.ones(2)}) == ({}, [name])


def test_a_row_may_count_only_beside_another_tensor():
    rows = [
        Row("head.logits.{p}", "fc.{p}", beside="pre.weight"),
        Row("head.pre.{p}", "pre.{p}"),
        Row("head.{p}", "fc.{p}"),
    ]
    alone, both = {"fc.weight": torch.ones(2)}, {"fc.weight": torch.ones(2), "pre.weight": torch.ones(3)}
    assert renamed(rows, alone)[0].keys() == {"head.weight"}
    assert renamed(rows, both)[0].keys() == {"head.logits.weight", "head.pre.weight"}


def test_what_cannot_be_laid_out_is_named_with_its_size():
    with pytest.raises(CheckpointError, match=r"head\.weight cannot be made of fc\.weight \[3\]"):
        renamed([Row("head.weight", "fc.weight", TRANSPOSED)], {"fc.weight": torch.ones(3)})
