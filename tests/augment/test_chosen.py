import pytest
import torch
from torch import Tensor

from vitlab.augment.chosen import all_then_select, only_chosen, when_chosen

VALUES = torch.arange(24.0).view(6, 4)
SHIFT = torch.arange(6.0)


def shifted(values: Tensor, shift: Tensor) -> Tensor:
    return values + 100 * shift[:, None]


@pytest.mark.parametrize("chosen", [[0] * 6, [1] * 6, [1, 0, 0, 1, 1, 0]])
def test_both_ways_change_the_chosen_and_nobody_else(chosen: list[int]):
    mask = torch.tensor(chosen, dtype=torch.bool)
    expected = torch.where(mask[:, None], shifted(VALUES, SHIFT), -VALUES)
    for way in (only_chosen, all_then_select, when_chosen):
        assert torch.equal(way(mask, shifted, -VALUES, VALUES, SHIFT), expected)


def test_what_an_operation_makes_may_broadcast():
    mask = torch.tensor([True, False, True, False, False, False])
    for way in (only_chosen, all_then_select):
        made = way(mask, lambda shift: shift[:, None], VALUES, SHIFT)
        assert torch.equal(made, torch.where(mask[:, None], SHIFT[:, None], VALUES))


def test_on_a_cpu_the_others_cost_nothing():
    seen = []
    when_chosen(torch.tensor([True, False] * 3), lambda values: seen.append(len(values)) or values, VALUES, VALUES)
    assert seen == [3]


def test_elsewhere_nobody_looks_which_they_are():
    meta = [tensor.to("meta") for tensor in (SHIFT > 2, VALUES, VALUES, SHIFT)]  # has no values to look at
    assert when_chosen(meta[0], shifted, *meta[1:]).shape == VALUES.shape
