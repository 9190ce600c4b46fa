import pytest

from vitlab.optim.schedule import multistep


def test_a_factor_at_each_milestone(rates):
    """Epochs have eight steps: milestones 2 and 4 are steps 16 and 32."""
    found = rates(multistep.Spec(milestones=(2, 4), factor=0.1))
    assert found == pytest.approx([0.4] * 16 + [0.04] * 16 + [0.004] * 8)


def test_equals_torch_epoch_by_epoch(rates):
    import torch

    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimiser, [1, 3], gamma=0.3)
    expected = []
    for _ in range(5):
        expected += [optimiser.param_groups[0]["lr"]] * 8
        optimiser.step()
        scheduler.step()
    assert rates(multistep.Spec(milestones=(1, 3), factor=0.3)) == pytest.approx(expected)


def test_a_milestone_within_an_epoch_counts_from_its_step(rates):
    """Epoch 1.5 is step 12; per epoch the change waits for epoch 2, step 16."""
    assert rates(multistep.Spec(milestones=(1.5,))) == pytest.approx([0.4] * 12 + [0.04] * 28)
    assert rates(multistep.Spec(milestones=(1.5,), per="epoch")) == pytest.approx([0.4] * 16 + [0.04] * 24)


def test_milestones_stay_where_they_are_with_a_warmup(rates):
    found = rates(multistep.Spec(milestones=(2,), warmup_epochs=1))
    assert found[8:] == pytest.approx([0.4] * 8 + [0.04] * 24)
