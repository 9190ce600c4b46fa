"""How throughput is measured: which steps, how many, by whose clock. No time is claimed."""

from dataclasses import replace

import pytest
import torch

from tests.train.conftest import largest_difference, weights_of
from vitlab.base.spec import with_settings
from vitlab.train.machine import throughput as module
from vitlab.train.machine.choices import Overrides
from vitlab.train.machine.throughput import LEAST, Throughput

OVERRIDES = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)


@pytest.fixture
def clock(monkeypatch):
    """`clock(0.1)`: from now on a step takes so many seconds by the clock, which stands still otherwise."""
    now, taken, real = [0.0], [0.01], module.build_loop

    def build(*arguments):
        loop = real(*arguments)
        step = loop.step

        def stepping():
            step()
            now[0] += taken[0]

        loop.step = stepping
        return loop

    monkeypatch.setattr(module, "build_loop", build)
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])

    def set_to(seconds):
        taken[0] = seconds

    return set_to


def test_a_first_step_is_not_counted(clock, tiny_run):
    clock(5.0)
    throughput = Throughput([tiny_run()], OVERRIDES)
    clock(0.125)
    assert throughput.warm_up == 5.0
    assert throughput.seconds_per_step(1.0) == 0.125
    assert throughput.loop.state.step == 1 + 1 + 8  # the first, one to guess, and as many as fit


def test_a_few_steps_at_least_even_where_fewer_fit(clock, tiny_run):
    throughput = Throughput([tiny_run()], OVERRIDES)
    clock(0.25)
    assert throughput.seconds_per_step(0.8) == 0.25
    assert throughput.loop.state.step == 1 + 1 + LEAST


def test_a_step_that_takes_all_the_time_is_taken_once(clock, tiny_run):
    throughput = Throughput([tiny_run()], OVERRIDES)
    clock(4.0)
    assert throughput.seconds_per_step(1.0) == 4.0
    assert throughput.loop.state.step == 2


@pytest.mark.parametrize("seeds", [(3,), (3, 0, 7)])
def test_it_takes_the_very_steps_of_training(tiny_run, loop_of, seeds):
    spec = tiny_run()
    throughput = Throughput([with_settings(spec, {"seed": seed}) for seed in seeds], OVERRIDES)
    steps = 1 + throughput.loop.state.step
    throughput.loop.step()
    alone = loop_of(spec, seeds, precision="fp32")
    for _ in range(steps):
        alone.step()
    for run in range(len(seeds)):
        ours, theirs = weights_of(throughput.loop, run), weights_of(alone, run)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert throughput.loop.steps_per_epoch == alone.steps_per_epoch


def test_the_overrides_hold(tiny_run):
    throughput = Throughput(
        [tiny_run()], Overrides(device="cpu", precision="fp64", kernel="explicit", micro_batch=4, threads=1)
    )
    assert throughput.loop.state.weights.groups[0].master.dtype == torch.float64
    assert throughput.loop.gradient.micro_batch == 4


def test_real_seconds_are_positive_and_finite(tiny_run):
    throughput = Throughput([tiny_run()], OVERRIDES)
    assert 0 < throughput.seconds_per_image(0.01) < throughput.seconds_per_step(0.01) < 60


def test_a_forward_pass_is_counted_by_the_image_and_moves_no_weight(tiny_run, monkeypatch):
    specs = [tiny_run({"model.drop_path": 0.5}, seed=seed) for seed in (0, 1)]
    throughput = Throughput(specs, replace(OVERRIDES, micro_batch=10))  # of 16: more might find no place
    before, real, seen, now = weights_of(throughput.loop), throughput.loop.scores, [], [0.0]

    def scores(images, targets, keys, noise):
        seen.append((images.shape[:2], noise, torch.is_grad_enabled()))
        now[0] += 8.0
        return real(images, targets, keys, noise)

    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    throughput.loop.scores = scores
    assert throughput.seconds_per_image(1.0) == 8.0 / 20
    assert seen == [((2, 10), None, False)]
    assert largest_difference(before, weights_of(throughput.loop)) == 0
