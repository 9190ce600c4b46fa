"""Wilson's interval of a share."""

import pytest
from scipy import stats

from vitlab.stats.intervals import wilson


@pytest.mark.parametrize(("right", "images"), [(0, 360), (1, 10), (324, 360), (360, 360)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_it_is_scipys(right, images, level):
    peer = stats.binomtest(right, images).proportion_ci(level, method="wilson")
    interval = wilson(right / images, images, level)
    assert (interval.low, interval.high) == pytest.approx((peer.low, peer.high), abs=1e-12)
    assert 0 <= interval.low < interval.high <= 1
