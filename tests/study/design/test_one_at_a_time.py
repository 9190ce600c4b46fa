from tests.study.design.conftest import NORM, POSITIONS
from vitlab.study.design.one_at_a_time import Spec
from vitlab.study.spec import factor


def test_every_cell_changes_one_factor_of_the_baseline(cells_of):
    first = {"model.pos_embed": "learned", "model.block": "pre_norm"}
    names = {"positions": "learned", "norm": "pre"}
    assert cells_of(Spec((POSITIONS, NORM))) == [
        ("baseline", first, names, None, ""),
        (
            "positions none",
            first | {"model.pos_embed": "none"},
            names | {"positions": "none"},
            "baseline",
            "positions none instead of learned",
        ),
        (
            "positions sincos2d",
            first | {"model.pos_embed": "sincos2d"},
            names | {"positions": "sincos2d"},
            "baseline",
            "positions sincos2d instead of learned",
        ),
        ("norm post", first | {"model.block": "post_norm"}, names | {"norm": "post"}, "baseline", "norms after"),
    ]


def test_one_more_cell_than_there_are_other_levels(cells_of):
    factors = tuple(factor(f"model.{name}", *range(count)) for name, count in (("a", 2), ("b", 3), ("c", 4)))
    assert len(cells_of(Spec(factors))) == 1 + (1 + 2 + 3)


def test_it_crosses_nothing():
    assert Spec((POSITIONS, NORM)).factors_crossed() == ()
