import torch

from vitlab.data.order import Order, indices, permutation

SEEDS = torch.tensor([0, 1, 7])


def test_every_epoch_sees_every_sample_once():
    stream = indices(SEEDS, torch.arange(20), 10)
    for epoch in (stream[:, :10], stream[:, 10:]):
        assert torch.equal(epoch.sort(dim=1).values, torch.arange(10).expand(3, 10))


def test_runs_and_epochs_differ_and_runs_do_not_depend_on_each_other():
    first, second = permutation(SEEDS, 0, 50), permutation(SEEDS, 1, 50)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    assert torch.equal(first[2:], permutation(SEEDS[2:], 0, 50))


def test_stretches_follow_the_definition_across_epochs_and_in_any_order():
    order = Order(SEEDS, 10)
    for start, stop in [(0, 4), (8, 12), (25, 55), (3, 5), (9, 10), (10, 11)]:
        assert torch.equal(order.stretch(start, stop), indices(SEEDS, torch.arange(start, stop), 10))


def test_repeats_stand_in_a_row_and_an_epoch_has_that_many_of_each():
    order = Order(SEEDS, 10, repeats=3)
    for start, stop in [(0, 4), (1, 2), (28, 33), (25, 155), (4, 5), (29, 30)]:
        assert torch.equal(order.stretch(start, stop), indices(SEEDS, torch.arange(start, stop), 10, repeats=3))
    assert torch.equal(order.stretch(0, 30).sort(dim=1).values, torch.arange(10).repeat_interleave(3).expand(3, 30))
    assert torch.equal(order.stretch(0, 30)[:, ::3], Order(SEEDS, 10).stretch(0, 10))


def test_only_two_epochs_are_remembered():
    order = Order(SEEDS, 10)
    for step in range(20):
        order.stretch(step * 4, step * 4 + 4)
    assert order.epoch.cache_info().currsize == 2
    assert order.epoch.cache_info().misses == 8  # once for each of the epochs 0 to 7


def test_permutations_are_uniform():
    seeds = torch.arange(24_000)
    codes = permutation(seeds, 3, 4) @ torch.tensor([64, 16, 4, 1])
    counts = torch.unique(codes, return_counts=True)[1]
    assert len(counts) == 24
    assert ((counts - 1000) ** 2 / 1000).sum() < 49.7  # chi-squared with 23 degrees of freedom, p = 0.001
