"""Class weights in training: of the pictures that are trained on, in any micro-batches, stacked, and after a resume."""

from dataclasses import replace

import pytest
import torch

from tests.train.conftest import crash, largest_difference, weights_of
from vitlab.base.errors import SpecError
from vitlab.data.stream import RowStream
from vitlab.train.machine.choices import Choices
from vitlab.train.step.assemble import build_loop

BALANCED = {"task.class_weights": "balanced"}


@pytest.fixture(scope="module")
def uneven_loop(digits):
    """`uneven_loop(spec, seeds=(0, 1))`: a loop over all pictures of five digits and every tenth of the others."""
    labels = digits.train.labels
    indices = ((labels < 5) | (torch.arange(len(labels)) % 10 == 0)).nonzero().flatten()

    def make(spec, seeds=(0,), micro_batch=16, repeat=1):
        choices = Choices(precision="fp64", micro_batch=micro_batch)
        return build_loop([replace(spec, seed=seed) for seed in seeds], digits, indices.repeat(repeat), choices)

    return make


def after(loop, steps=3):
    """The weights of every run after some steps."""
    for _ in range(steps):
        loop.step()
    return [weights_of(loop, run) for run in range(loop.state.weights.runs)]


def test_they_are_of_the_pictures_that_are_trained_on(tiny_run, uneven_loop, digits):
    """Each counts once, however often it is sampled; with as much weight for each class in sum."""
    loop = uneven_loop(tiny_run(BALANCED))
    labels = digits.train.labels[loop.loader.samples.indices]
    weights = loop.learner.task.class_weights
    assert weights.dtype == torch.float64
    sums = weights * torch.bincount(labels)
    torch.testing.assert_close(sums, torch.full((10,), len(labels) / 10, dtype=torch.float64), rtol=1e-14, atol=0)
    assert weights.max() > 5 * weights.min()
    assert torch.equal(uneven_loop(tiny_run(BALANCED), repeat=2).learner.task.class_weights, weights)


def test_they_change_what_is_learned_and_not_how_the_loss_is_told(tiny_run, uneven_loop):
    plain, weighted = uneven_loop(tiny_run()), uneven_loop(tiny_run(BALANCED))
    for loop in (plain, weighted):
        loop.step()
    assert weighted.meter.sums["loss"].item() == plain.meter.sums["loss"].item()  # both at the initial weights
    (ours,), (theirs,) = after(weighted), after(plain)
    assert largest_difference(ours, theirs) > 1e-4


@pytest.mark.slow
def test_micro_batches_and_stacks_are_as_one_run_alone(tiny_run, uneven_loop, everything_random):
    spec = tiny_run(everything_random | BALANCED)
    whole, parts = after(uneven_loop(spec, (0, 1))), after(uneven_loop(spec, (0, 1), micro_batch=7))
    for run, seed in enumerate((0, 1)):
        (alone,) = after(uneven_loop(spec, (seed,)))
        assert largest_difference(alone, whole[run]) <= 1e-10
        assert largest_difference(alone, parts[run]) <= 1e-10


@pytest.mark.slow
def test_a_resumed_run_has_the_same_weights(tiny_run, run_tiny, records_of, at_step, tmp_path):
    spec = tiny_run(BALANCED)
    run_tiny(spec, tmp_path / "straight")
    at_step(5, crash)
    with pytest.raises(ConnectionError):
        run_tiny(spec, tmp_path / "broken")
    run_tiny(spec, tmp_path / "broken", resume=True)
    assert records_of(tmp_path / "broken") == records_of(tmp_path / "straight")


def test_the_classes_of_a_stream_cannot_be_counted(tiny_run, digits):
    streamed = replace(digits, train=RowStream(rows=None, frame=None, samples_per_epoch=100, buffer=10))
    with pytest.raises(SpecError, match=r"class_weights=balanced and data\.streaming=True: .* set task\.class_weights"):
        build_loop([tiny_run(BALANCED)], streamed, torch.arange(0), Choices(micro_batch=16))
