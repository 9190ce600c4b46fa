import pytest

from tests.study.design.conftest import NORM, POSITIONS
from vitlab.base.errors import SpecError
from vitlab.base.spec import component_names, from_dict, to_dict
from vitlab.study.design._base import DesignSpec, Factor, Level, merged
from vitlab.study.design.factorial import Spec as Factorial
from vitlab.study.design.leave_one_out import Spec as LeaveOneOut
from vitlab.study.design.one_at_a_time import Spec as OneAtATime
from vitlab.study.spec import factor

CROSSED = (Factorial, LeaveOneOut, OneAtATime)
TWO = factor("model.depth", 1, 2)


@pytest.mark.parametrize("levels", [(), ("2",), ("2", "3", "2")])
def test_a_factor_has_two_levels_or_more_all_different(levels):
    with pytest.raises(SpecError) as refused:
        Factor("depth", tuple(Level(name) for name in levels))
    assert str(refused.value) == f"factor depth: levels {', '.join(levels)}; a factor has two or more, all different"


def test_values_that_people_call_the_same_are_twins():
    with pytest.raises(SpecError, match=r"factor optim\.lr: levels 0\.001, 0\.001; a factor has two or more"):
        factor("optim.lr", 1e-3, 0.001)


@pytest.mark.parametrize("design", CROSSED)
@pytest.mark.parametrize(("factors", "named"), [((), []), ((TWO, NORM, TWO), ["model.depth", "norm", "model.depth"])])
def test_a_design_has_factors_and_none_twice(design, factors, named):
    with pytest.raises(SpecError) as refused:
        design(factors)
    assert str(refused.value) == f"design.factors={named}: expected one or more, all different"


@pytest.mark.parametrize("design", CROSSED)
def test_two_factors_must_not_set_one_thing(design, base_run):
    rates = factor("optim.lr", 1e-3, 2e-3)
    batches = Factor("batch", (Level("16", {"batch_size": 16}), Level("32", {"batch_size": 32, "optim.lr": 4e-3})))
    with pytest.raises(SpecError, match=r"optim\.lr is set by two factors, to 0\.00[12] and 0\.004"):
        design((rates, batches)).cells(base_run())


def test_setting_one_thing_alike_is_no_contradiction():
    same = Level("a", {"optim.lr": 1e-3}), Level("b", {"optim.lr": 1e-3, "model.depth": 1})
    assert merged(same) == {"optim.lr": 1e-3, "model.depth": 1}


def test_levels_are_read_and_written_exactly():
    """A level's name is a setting of it, and stands for nothing."""
    for design in (Factorial((POSITIONS, NORM)), OneAtATime((TWO,))):
        assert from_dict(DesignSpec, to_dict(design)) == design


def test_every_design_is_listed():
    assert component_names("vitlab.study.design") == (
        "factorial",
        "leave_one_out",
        "listed",
        "one_at_a_time",
        "recipe_diff",
    )
