import pytest

from vitlab.bench.memory import peak_memory
from vitlab.bench.work import ours
from vitlab.train.choices import Wishes


@pytest.mark.slow
def test_memory_is_that_of_the_work_and_grows_with_it(job):
    """Measured in a fresh process, so neither this one's size nor an earlier contestant's is in it."""
    wishes = Wishes(precision="fp32", kernel="explicit", threads=1)
    small, large = job("train"), job("train", embed_dim=512, depth=8)
    needs = [peak_memory(ours(each, wishes)[0], each, wishes) for each in (small, large)]
    parameters = 4 * sum(p.numel() for p in ours(large, wishes)[0].work.__self__.state.weights.masters)
    assert needs[1] - needs[0] > 3 * parameters  # weights, gradient and two moments, at the least
