"""The step as a whole: against plain PyTorch, against recorded figures, in bf16, compiled."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.train.conftest import largest_difference, weights_of
from vitlab.models.vit import build
from vitlab.nn.kinds import parameter_kinds

# The digits recipe with D 16, depth 2, in double precision; uniform initial weights, whose every digit is the same
# wherever IEEE arithmetic holds. A change that changes no computation leaves these digits alone.
GOLDEN = (
    *(2.228988336838, 2.358525278220, 2.391413609016, 2.454840399109, 2.315737201036),
    *(2.196088834653, 2.400965648436, 2.306092478061, 2.297202984326, 2.470289168623),
    *(2.332860384787, 2.361951980041, 2.327912120167, 2.439803798805, 2.324900199708),
    *(2.289786182483, 2.246883483379, 2.347381655777, 2.331944513600, 2.222967625411),
)


def losses(loop, steps):
    found = []
    for _ in range(steps):
        loop.step()
        found.append(loop.meter.read()[0]["train_loss"])
    return found


def test_ten_steps_equal_plain_torch(tiny_run, loop_of):
    """Everything at once, without a line of the training code: AdamW, cosine with warm-up, clipping, smoothing."""
    steps = 10
    spec = tiny_run({"task.label_smoothing": 0.1, "optim.clip_norm": 0.5, "optim.weight_decay": 0.3}, steps=steps)
    loop = loop_of(spec)
    model = build(spec.model, spec.seed).double()
    kinds = parameter_kinds(model)
    kernels = [p for name, p in model.named_parameters() if kinds[name] == "kernel"]
    others = [p for name, p in model.named_parameters() if kinds[name] != "kernel"]
    groups = [{"params": kernels, "weight_decay": 0.3}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1.0)
    for step in range(steps):
        batch = loop.loader.batch(step)
        F.cross_entropy(model(batch.images[0]), batch.targets[0], label_smoothing=0.1).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        rate = 3e-3 * (step / 2 if step < 2 else (1 + math.cos(math.pi * (step - 2) / 8)) / 2)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        optimiser.zero_grad()
        loop.step()
    assert largest_difference(weights_of(loop), {n: p.detach() for n, p in model.named_parameters()}) < 1e-11


def test_twenty_golden_losses(tiny_run, loop_of):
    spec = tiny_run({"task.label_smoothing": 0.1}, steps=20)
    assert losses(loop_of(spec), 20) == pytest.approx(GOLDEN, rel=0, abs=2e-9)


def test_the_seed_decides(tiny_run, loop_of):
    """Initial weights and the order of the images both follow it; the same seed gives the same, bit for bit."""
    again, other = (losses(loop_of(tiny_run(seed=seed)), 3) for seed in (0, 1))
    assert losses(loop_of(tiny_run(seed=0)), 3) == again
    assert all(abs(a - b) > 1e-6 for a, b in zip(again, other, strict=True))


@pytest.mark.slow
def test_bf16_is_near_single_precision(tiny_run, loop_of):
    """Weights are kept in single precision; forty steps that learn stay within half a percent of fp32's losses."""
    spec = tiny_run({"optim.lr": 1e-2}, steps=40, batch_size=64)
    loop = loop_of(spec, precision="bf16")
    low, full = losses(loop, 40), losses(loop_of(spec, precision="fp32"), 40)
    assert loop.state.weights.masters[0].dtype == torch.float32
    assert loop.state.weights.groups[0].working.dtype == torch.bfloat16
    assert low != full
    assert low == pytest.approx(full, rel=0.005)
    assert full[-1] < full[0] - 0.1


def test_epochs_are_rounded_up_to_whole_steps(tiny_run, loop_of):
    """1,294 training images in batches of 16: 80.875 steps a pass."""
    loop = loop_of(tiny_run(steps=None, epochs=2.0))
    assert loop.steps_per_epoch == 80.875
    assert loop.total_steps == 162


@pytest.mark.parametrize("kernel", ["fused", "explicit"])
def test_the_kernels_agree(tiny_run, loop_of, kernel):
    spec = tiny_run()
    expected = losses(loop_of(spec, kernel="explicit"), 5)
    assert losses(loop_of(spec, kernel=kernel), 5) == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [None, (0, 1)])
def test_compiled_equals_eager(tiny_run, loop_of, everything_random, seeds):
    spec = tiny_run(everything_random, **{"model.depth": 1})
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    # two sizes of micro-batches: the smaller last one is compiled too
    eager, compiled = (loop_of(spec, seeds, precision="fp32", compiled=c, micro_batch=12) for c in (False, True))
    for loop in (eager, compiled):
        for _ in range(10):
            loop.step()
    torch.testing.assert_close(eager.meter.sums, compiled.meter.sums, rtol=1e-4, atol=0)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2
    assert not torch._dynamo.utils.counters["graph_break"]
