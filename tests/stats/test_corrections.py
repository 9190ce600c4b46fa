import numpy as np
import pytest

from vitlab.base.errors import UserError
from vitlab.stats.corrections import holm


def test_by_hand():
    # sorted .01, .02, .03, .04 times 4, 3, 2, 1 = .04, .06, .06, .04, and never below the one before
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06), rel=1e-12)
    assert holm([0.6, 0.7]) == (1.0, 1.0)
    assert holm([0.03]) == (0.03,)
    assert holm([]) == ()


def test_what_could_not_be_tested_still_counts():
    assert holm([0.01, None, 0.02]) == (pytest.approx(0.03, rel=1e-12), None, pytest.approx(0.04, rel=1e-12))
    assert holm([None]) == (None,)


@pytest.mark.slow
@pytest.mark.peer
@pytest.mark.parametrize("m", [1, 2, 7, 30])
def test_equals_statsmodels(m):
    peer = pytest.importorskip("statsmodels.stats.multitest")
    p_values = np.random.default_rng(m).uniform(0, 0.2, m)
    assert holm(p_values.tolist()) == pytest.approx(peer.multipletests(p_values, method="holm")[1], rel=1e-12)


def test_what_is_no_probability_is_refused():
    with pytest.raises(UserError, match=r"p_values: 1\.5"):
        holm([0.5, 1.5])
    with pytest.raises(UserError, match="p_values: value 0 is nan"):
        holm([float("nan")])
