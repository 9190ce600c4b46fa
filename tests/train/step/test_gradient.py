"""Accumulation: any micro-batches give the step of the whole batch."""

import pytest

from tests.train.conftest import largest_difference, weights_of


def trained(loop, steps):
    for _ in range(steps):
        loop.step()
    return weights_of(loop)


@pytest.mark.slow
@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_micro_batches_equal_the_batch_after_fifty_steps(tiny_run, loop_of, everything_random, mixing):
    """16 images as 7 + 7 + 2, with all that is random on; double precision, at most 1e-10 apart."""
    alpha = {"mixup": "augment.3.cutmix_alpha", "cutmix": "augment.3.mixup_alpha"}[mixing]
    spec = tiny_run(everything_random | {alpha: 0.0}, steps=50)
    whole, parts = trained(loop_of(spec), 50), trained(loop_of(spec, micro_batch=7), 50)
    assert largest_difference(whole, parts) <= 1e-10
    assert largest_difference(whole, weights_of(loop_of(spec))) > 1e-2  # it did train


@pytest.mark.slow
def test_stacked_runs_accumulate_too(tiny_run, loop_of, everything_random):
    spec = tiny_run(everything_random)
    whole, parts = loop_of(spec, seeds=(0, 1)), loop_of(spec, seeds=(0, 1), micro_batch=5)
    for loop in (whole, parts):
        trained(loop, 5)
    assert max(largest_difference(weights_of(whole, run), weights_of(parts, run)) for run in (0, 1)) <= 1e-10


def test_the_batch_scores_are_sums_over_all_its_samples(tiny_run, loop_of):
    """Loss and hits, whatever the split: the smaller last micro-batch counts as what it is."""
    spec = tiny_run()
    whole, parts = loop_of(spec), loop_of(spec, micro_batch=7)
    for loop in (whole, parts):
        loop.step()
    for name in ("loss", "top1", "top5"):
        assert parts.meter.sums[name].item() == pytest.approx(whole.meter.sums[name].item(), rel=1e-12)
    assert whole.meter.sums["top5"].item() == round(whole.meter.sums["top5"].item())
