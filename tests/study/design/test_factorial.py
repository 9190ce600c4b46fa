import pytest

from tests.study.design.conftest import NORM, POSITIONS
from vitlab.base.errors import SpecError
from vitlab.study.design.factorial import Spec
from vitlab.study.spec import factor

CLS = factor("model.num_registers", 0, 4, name="registers")


def test_all_combinations_the_last_factor_turning_fastest(cells_of):
    found = cells_of(Spec((NORM, CLS)))
    assert [(name, against, says) for name, _, _, against, says in found] == [
        ("norm pre, registers 0", None, ""),
        ("norm pre, registers 4", "norm pre, registers 0", "registers 4 instead of 0"),
        ("norm post, registers 0", "norm pre, registers 0", "norms after"),
        ("norm post, registers 4", "norm pre, registers 0", "norms after and registers 4 instead of 0"),
    ]
    assert [settings for _, settings, *_ in found] == [
        {"model.block": block, "model.num_registers": count} for block in ("pre_norm", "post_norm") for count in (0, 4)
    ]
    assert [levels for _, _, levels, *_ in found] == [
        {"norm": norm, "registers": count} for norm in ("pre", "post") for count in ("0", "4")
    ]


def test_three_factors_of_two_three_and_two_levels_are_twelve_different_cells(cells_of):
    found = cells_of(Spec((NORM, POSITIONS, CLS)))
    assert len(found) == len({name for name, *_ in found}) == 2 * 3 * 2
    assert [against for *_, against, _ in found] == [None] + 11 * ["norm pre, positions learned, registers 0"]


def test_its_factors_are_crossed():
    assert Spec((NORM, CLS)).factors_crossed() == (NORM, CLS)


def test_more_combinations_than_anybody_trains_are_refused_before_they_are_made():
    factors = tuple(factor(f"model.{name}", *range(1, 10)) for name in "abcdefghijkl")
    with pytest.raises(SpecError, match="282,429,536,481 combinations of levels, and at most 10,000"):
        Spec(factors)
