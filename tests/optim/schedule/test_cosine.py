import math

import pytest

from vitlab.optim.schedule import cosine


def test_closed_formula(rates):
    found = rates(cosine.Spec(min_lr=0.1, warmup_steps=8, warmup_lr=0.05))
    expected = [0.05 + 0.35 * step / 8 for step in range(8)]
    expected += [0.1 + 0.3 * 0.5 * (1 + math.cos(math.pi * (step - 8) / 32)) for step in range(8, 40)]
    assert found == pytest.approx(expected, rel=1e-12)


def test_hand_values(rates):
    """A quarter of the way: (1 + √½) / 2; half-way: half; the step after the last would be at the minimum."""
    found = rates(cosine.Spec())
    assert found[10] == pytest.approx(0.4 * 0.8535533905932737)
    assert found[20] == pytest.approx(0.2)
    assert cosine.Spec(min_lr=0.1).lr(0.4, 40, 40, 8.0) == pytest.approx(0.1)


def test_per_epoch_equals_torch(rates):
    """Five epochs, stepped once an epoch, as recipes do with CosineAnnealingLR."""
    import torch

    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=5, eta_min=0.004)
    expected = []
    for _ in range(5):
        expected += [optimiser.param_groups[0]["lr"]] * 8
        optimiser.step()
        scheduler.step()
    assert rates(cosine.Spec(per="epoch", min_lr=0.004)) == pytest.approx(expected, rel=1e-12)
