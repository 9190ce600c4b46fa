from dataclasses import replace

import pytest

from vitlab.recipes import recipe


def test_a_tenth_of_everything_and_nothing_else():
    whole, tenth = recipe("r0_cifar10"), recipe("r0_cifar10_tenth")
    assert 10 * tenth.steps == whole.steps
    assert 10 * tenth.optim.schedule.warmup_steps == whole.optim.schedule.warmup_steps
    schedule = replace(tenth.optim.schedule, warmup_steps=whole.optim.schedule.warmup_steps)
    optim = replace(tenth.optim, schedule=schedule)
    assert replace(tenth, steps=whole.steps, optim=optim, val_fraction=0.0) == whole


def test_thirty_three_passes_over_what_is_not_kept_for_validation():
    spec = recipe("r0_cifar10_tenth")
    assert spec.val_fraction == 0.1
    assert spec.steps * spec.batch_size / 45_000 == pytest.approx(33.3, abs=0.1)


@pytest.mark.slow
def test_two_steps(two_steps):
    assert two_steps(recipe("r0_cifar10_tenth"))["steps"] == 2
