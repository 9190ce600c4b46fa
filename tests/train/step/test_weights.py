import torch
from torch import nn

from vitlab.optim.groups import Group
from vitlab.train.step.weights import Placement, Weights


def make(runs, compute=torch.float64, separate=False):
    drawn = [dict(nn.Linear(2, 3).double().named_parameters()) for _ in range(runs)]
    groups = [Group(("weight",), 0.1), Group(("bias",), 0.0)]
    return drawn, Weights(groups, drawn, Placement(torch.device("cpu"), torch.float64, compute, separate))


def test_a_row_holds_each_run():
    drawn, weights = make(3)
    for run, tensors in enumerate(drawn):
        assert torch.equal(weights.masters[0][run], tensors["weight"].flatten())
        assert torch.equal(weights.masters[1][run], tensors["bias"])


def test_a_single_run_sees_no_run_axis():
    assert make(1)[1].leaves["weight"].shape == (3, 2)
    assert make(2)[1].leaves["weight"].shape == (2, 3, 2)


def test_leaves_are_the_same_memory_unless_the_precision_is_lower():
    for compute, follows in ((torch.float64, True), (torch.bfloat16, False)):
        _, weights = make(2, compute)
        weights.masters[0].fill_(7.0)
        assert bool((weights.leaves["weight"] == 7).all()) is follows
        weights.compute_with(weights.masters)
        assert (weights.leaves["weight"] == 7).all()


def test_the_first_micro_batch_replaces_and_the_next_adds():
    _, weights = make(2)
    parts = [torch.full((2, 3, 2), 5.0).double(), torch.full((2, 3), 3.0).double()]
    for first in (True, True, False):
        weights.collect(parts, first=first)
    assert (weights.gradients[0] == 10).all()
    assert (weights.gradients[1] == 6).all()


def test_what_is_computed_with_leaves_the_trained_ones_where_they_are_separate():
    """An average is evaluated while training goes on from the raw weights."""
    _, weights = make(2, separate=True)
    before = weights.masters[0].clone()
    weights.compute_with([torch.zeros_like(flat) for flat in weights.masters])
    assert all((leaf == 0).all() for leaf in weights.leaves.values())
    assert torch.equal(weights.masters[0], before)
