"""What a number is, and how people read it."""

import pytest

from vitlab.base.errors import SpecError
from vitlab.base.metric import Metric
from vitlab.base.spec import from_dict, to_dict

TOP1 = Metric("top1", "top-1", "fraction", "higher", counts_right=True)
LOSS = Metric("loss", "loss", "nats", "lower")


@pytest.mark.parametrize(("metric", "value", "written"), [(TOP1, 0.95833, "95.83 %"), (LOSS, 0.95833, "0.9583")])
def test_as_it_is_written(metric, value, written):
    assert metric.written(value) == written
    assert metric.is_fraction == written.endswith("%")


def test_it_stands_in_records():
    assert from_dict(Metric, to_dict(LOSS)) == LOSS
    with pytest.raises(SpecError, match="better='up': legal: higher, lower"):
        from_dict(Metric, to_dict(LOSS) | {"better": "up"})
