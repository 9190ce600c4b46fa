"""Warm-up, minimum and the epoch's stairs, which all schedules share."""

import pytest

from vitlab.base.errors import SpecError
from vitlab.optim.schedule import constant, linear


def test_warmup_in_steps_rises_from_its_rate_to_the_base(rates):
    found = rates(constant.Spec(warmup_steps=4, warmup_lr=0.2))
    assert found[:6] == pytest.approx([0.2, 0.25, 0.3, 0.35, 0.4, 0.4])


def test_warmup_in_epochs_is_the_same_in_steps(rates):
    assert rates(linear.Spec(warmup_epochs=0.5)) == pytest.approx(rates(linear.Spec(warmup_steps=4)))


def test_the_shape_begins_after_the_warmup(rates):
    """Forty steps, ten of warm-up: half of the other thirty is step 25."""
    found = rates(linear.Spec(warmup_steps=10, min_lr=0.1))
    assert found[10] == pytest.approx(0.4)
    assert found[25] == pytest.approx((0.4 + 0.1) / 2)


def test_per_epoch_holds_still_within_an_epoch(rates):
    stairs, slope = rates(linear.Spec(per="epoch")), rates(linear.Spec())
    assert stairs == pytest.approx([slope[step - step % 8] for step in range(40)])
    assert stairs[7] != slope[7]


def test_warmup_per_epoch_holds_still_too(rates):
    found = rates(constant.Spec(per="epoch", warmup_epochs=2))
    assert found == pytest.approx([0.0] * 8 + [0.2] * 8 + [0.4] * 24)


def test_epochs_need_not_be_whole_steps():
    """7.5 steps an epoch: step 7 is still in the first, step 8 in the second."""
    schedule = linear.Spec(per="epoch")
    found = [schedule.lr(1.0, step, 30, 7.5) for step in (0, 7, 8, 14, 15)]
    assert found == pytest.approx([1.0, 1.0, 0.75, 0.75, 0.5])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"warmup_steps": 3, "warmup_epochs": 1.0}, ("warmup_steps=3", "warmup_epochs=1.0")),
        ({"min_lr": -1e-3}, ("negative",)),
        ({"warmup_lr": -1.0}, ("negative",)),
    ],
)
def test_what_cannot_be_is_refused(settings, words):
    with pytest.raises(SpecError) as caught:
        constant.Spec(**settings)
    assert all(word in str(caught.value) for word in words)


def test_where_a_rate_is_between_the_smallest_and_the_base():
    schedule = linear.Spec(min_lr=0.1, warmup_steps=2)
    assert [schedule.share(0.5, rate) for rate in (0.0, 0.1, 0.3, 0.5)] == [0.0, 0.0, pytest.approx(0.5), 1.0]
    assert linear.Spec(min_lr=0.5).share(0.5, 0.5) == 1.0  # a rate that never falls is at its largest
