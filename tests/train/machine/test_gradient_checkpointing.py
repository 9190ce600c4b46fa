"""Gradient checkpointing: the same bits in less memory, whatever the model is made of."""

import dataclasses

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.conftest import mostly_slow
from tests.reading import read_json
from tests.train.conftest import variant
from tests.train.step.test_stack import VARIANTS
from vitlab.base.errors import UserError
from vitlab.models.cost import cost
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides

SEEDS = [None, (0, 3)]


def trained(loop, steps=3):
    for _ in range(steps):
        loop.step()
    return [*loop.state.weights.masters, *loop.state.weights.gradients]


def equal(one, other):
    return all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


# ------------------------------------------------------------------------------------------------------- the same bits


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "precision", "kernel"),
    [
        (None, "fp32", "explicit"),
        (None, "bf16", "explicit"),
        (None, "fp32", "fused"),
        ((0, 3), "fp32", "explicit"),
        ((0, 3), "bf16", "explicit"),
    ],
)
def test_gradients_are_the_same_with_all_that_is_random(tiny_run, loop_of, everything_random, seeds, precision, kernel):
    """Weights and gradients after three steps of 16 images as 7 + 7 + 2, bit for bit."""
    spec = tiny_run(everything_random | {"model.cls_token": True, "model.layer_scale": 0.1, "model.qk_norm": True})
    chosen = {"precision": precision, "kernel": kernel, "micro_batch": 7}
    kept, recomputed = (trained(loop_of(spec, seeds, checkpointing=c, **chosen)) for c in (False, True))
    assert equal(kept, recomputed)
    assert not equal(kept, trained(loop_of(spec, seeds, **chosen), steps=2))


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize(("family", "name"), mostly_slow(VARIANTS))
def test_no_component_needs_to_know(tiny_run, loop_of, family, name, seeds):
    spec = tiny_run(variant(family, name) | {"model.drop_path": 0.3})
    kept, recomputed = (trained(loop_of(spec, seeds, checkpointing=c), steps=2) for c in (False, True))
    assert equal(kept, recomputed)


@pytest.mark.slow
def test_compiled_too(tiny_run, loop_of):
    """With what is drawn inside a block, which is what may be drawn anew; more takes a minute to compile."""
    spec = tiny_run({"model.depth": 1, "model.drop_path": 0.3, "model.mlp_dropout": 0.1})
    found = []
    for checkpointing in (False, True):
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        loop = loop_of(spec, precision="fp64", compiled=True, checkpointing=checkpointing)
        found.append(trained(loop, steps=5))
        assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1  # it was compiled
        assert not torch._dynamo.utils.counters["graph_break"]
    # not in single precision: the key bias has no gradient but rounding, and Adam makes steps of that
    torch.testing.assert_close(*found, rtol=1e-8, atol=1e-10)


def test_stacked_runs_are_not_compiled_with_it(tiny_run, loop_of):
    with pytest.raises(UserError, match=r"--checkpointing and --compile.* 2 runs"):
        loop_of(tiny_run(), (0, 1), checkpointing=True, compiled=True)


# ------------------------------------------------------------------------------------------------------- less memory


class LiveBytes(TorchDispatchMode):
    """The most bytes of tensors, made while this is active, that were alive at once."""

    def __init__(self):
        super().__init__()
        self.alive, self.peak = {}, 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **(kwargs or {}))
        self.alive = {at: (held, size) for at, (held, size) in self.alive.items() if not held.expired()}
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                memory = tensor.untyped_storage()
                self.alive.setdefault(memory._cdata, (StorageWeakRef(memory), memory.nbytes()))
        self.peak = max(self.peak, sum(size for _, size in self.alive.values()))
        return made


def peak_bytes(loop):
    batch = loop.loader.batch(0)
    with LiveBytes() as live:
        loop.gradient(batch)
    return live.peak


@pytest.mark.slow
@pytest.mark.parametrize("seeds", SEEDS)
def test_memory_no_longer_grows_with_the_depth_by_what_blocks_keep(tiny_run, loop_of, everything_random, seeds):
    """Six more blocks cost six more inputs, a tenth and less of what six blocks keep."""

    def growth(checkpointing):
        specs = [tiny_run(everything_random, **{"model.depth": depth, "model.embed_dim": 32}) for depth in (2, 8)]
        loops = [loop_of(spec, seeds, precision="fp32", checkpointing=checkpointing) for spec in specs]
        shallow, deep = map(peak_bytes, loops)
        gradients = [sum(g.nbytes for g in loop.state.weights.gradients) for loop in loops]
        return deep - shallow - (gradients[1] - gradients[0])

    assert 0 < growth(checkpointing=True) < growth(checkpointing=False) / 10


@pytest.mark.slow
def test_the_cost_knows_what_it_saves(tiny_run, loop_of, everything_random):
    """For one more image in the batch, within two in a hundred of what a real step saves."""

    def an_image(checkpointing):
        specs = [tiny_run(everything_random, batch_size=size, **{"model.depth": 5}) for size in (16, 48)]
        few, many = (peak_bytes(loop_of(spec, precision="fp32", checkpointing=checkpointing)) for spec in specs)
        return (many - few) / 32

    spent = cost(tiny_run(everything_random, **{"model.depth": 5}).model)
    saved = spent.activation_bytes - spent.checkpointed_bytes
    assert an_image(False) - an_image(True) == pytest.approx(saved, rel=0.02)
    assert saved > 0.6 * spent.activation_bytes


# ---------------------------------------------------------------------------------------------------------- a whole run


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(0,), (0, 3)])
def test_a_run_is_the_same_and_its_record_says_how_it_was_computed(tiny_run, tmp_path, records_of, seeds):
    overrides = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
    specs = [tiny_run(seed=seed) for seed in seeds]
    for name, asked in (("kept", None), ("recomputed", True)):
        folders = [tmp_path / name / str(seed) for seed in seeds]
        train(specs, folders, overrides=dataclasses.replace(overrides, checkpointing=asked))
        assert all(read_json(f / "env.json")["choices"]["checkpointing"] is bool(asked) for f in folders)
    for seed in seeds:
        assert records_of(tmp_path / "kept" / str(seed)) == records_of(tmp_path / "recomputed" / str(seed))
