"""A replayed gradient is the computed one. What needs a GPU is skipped without."""

import pytest
import torch

from tests.train.conftest import largest_difference, weights_of
from vitlab.recipes import recipe
from vitlab.train.choices import Wishes, by_rule
from vitlab.train.graph import Replayed

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
MODEL = recipe("digits").model


def test_a_cpu_replays_nothing_even_if_it_is_asked_to():
    assert not by_rule(Wishes(device="cpu", replayed=True), MODEL, 8, 1).replayed


@on_a_gpu
def test_a_gpu_replays_where_it_is_wished():
    assert by_rule(Wishes(device="cuda", replayed=True), MODEL, 8, 1).replayed
    assert not by_rule(Wishes(device="cuda"), MODEL, 8, 1).replayed


@on_a_gpu
@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_ten_replayed_steps_are_ten_computed_ones(tiny_run, loop_of, everything_random, seeds):
    """With two micro-batches of different sizes, so that two graphs take turns; double precision."""
    spec = tiny_run(everything_random, steps=10)
    loops = [
        loop_of(spec, seeds, device="cuda", replayed=replayed, micro_batch=spec.batch_size - 1)
        for replayed in (False, True)
    ]
    assert isinstance(loops[1].gradient.part, Replayed)
    for loop in loops:
        for _ in range(10):
            loop.step()
    assert all(recorded is not None for recorded in loops[1].gradient.part.recorded.values())
    for run in range(len(seeds)):
        assert largest_difference(weights_of(loops[0], run), weights_of(loops[1], run)) <= 1e-10
    assert loops[0].meter.read() == pytest.approx(loops[1].meter.read())
