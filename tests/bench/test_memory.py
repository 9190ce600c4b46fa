import dataclasses

import pytest

from vitlab.bench.memory import peak_memory
from vitlab.bench.work import ours
from vitlab.models.cost import cost
from vitlab.train.machine.choices import Overrides


@pytest.mark.slow
def test_memory_is_that_of_the_work_and_grows_with_it(job):
    """Measured in a fresh process, so neither this one's size nor an earlier contestant's is in it."""
    overrides = Overrides(precision="fp32", kernel="explicit", threads=1)
    small, large = job("train"), job("train", embed_dim=512, depth=8)
    needs = [peak_memory(ours(each, overrides)[0], each, overrides) for each in (small, large)]
    parameters = 4 * sum(p.numel() for p in ours(large, overrides)[0].work.__self__.state.weights.masters)
    assert needs[1] - needs[0] > 3 * parameters  # weights, gradient and two moments, at the least


@pytest.mark.slow
def test_checkpointing_lowers_the_peak_of_a_real_process(job):
    """Twelve blocks on 64 pictures: by half and more of what tensors no longer take (in full in tests/train); the
    C library's allocator keeps the rest in pieces."""
    deep = dataclasses.replace(job("train", embed_dim=192, num_heads=12, depth=12, img_size=32), batch_size=64)
    overrides = Overrides(precision="fp32", kernel="explicit", threads=1)
    kept, recomputed = (
        peak_memory(ours(deep, each)[0], deep, each)
        for each in (overrides, dataclasses.replace(overrides, checkpointing=True))
    )
    spent = cost(deep.model)
    saved = deep.batch_size * (spent.activation_bytes - spent.checkpointed_bytes)
    assert kept - recomputed > saved / 2
