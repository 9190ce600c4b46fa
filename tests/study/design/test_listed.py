import pytest

from vitlab.base.errors import SpecError
from vitlab.study.design._base import Level
from vitlab.study.design.listed import Spec

PLAIN = Level("plain", {})
DEEP = Level("deep", {"model.depth": 4, "optim.lr": 1e-3})
WIDE = Level("wide", {"model.embed_dim": 32}, "twice the width")


def test_cells_as_they_are_listed_against_the_first(cells_of):
    assert cells_of(Spec((PLAIN, DEEP, WIDE))) == [
        ("plain", {}, {"system": "plain"}, None, "plain instead of plain"),
        ("deep", {"model.depth": 4, "optim.lr": 1e-3}, {"system": "deep"}, "plain", "deep instead of plain"),
        ("wide", {"model.embed_dim": 32}, {"system": "wide"}, "plain", "twice the width"),
    ]


def test_one_cell_is_a_study_of_its_seeds(cells_of):
    assert [name for name, *_ in cells_of(Spec((DEEP,)))] == ["deep"]


@pytest.mark.parametrize("entries", [(), (PLAIN, PLAIN)])
def test_there_are_cells_and_all_have_names_of_their_own(entries):
    with pytest.raises(SpecError, match=r"design\.entries=\[.*\]: expected one cell or more, all of different names"):
        Spec(entries)
