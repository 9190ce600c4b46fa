"""What all cells of a study have alike."""

import pytest

from vitlab.records.execution import CellExecution
from vitlab.study.alike import Family, settled
from vitlab.study.execution import Execution

ALONE = [Execution("none", jobs, kernel) for jobs in (1, 2) for kernel in ("explicit", "fused")]
ALL = [Execution("cells", 1, kernel) for kernel in ("explicit", "fused")]


def cell(*seconds, steps=10, **more):
    """Seconds of a step: explicit and fused alone, explicit and fused side by side; None where it was not measured."""
    measured = {str(way): value for way, value in zip(ALONE, seconds, strict=False) if value is not None}
    return CellExecution({}, "", measured | more, None, steps=steps, seeds=6)


def ways(families, before=()):
    return [
        (each.execution["stack"], each.execution["jobs"], each.execution["kernel"])
        for each in settled(families, before)
    ]


def test_all_take_the_kernel_that_is_fastest_in_all():
    """By itself the first would be trained with the explicit kernel, and the second with the fused one."""
    cells = [Family([cell(1.0, 1.2)], ALONE, []), Family([cell(3.0, 2.0)], ALONE, [])]
    assert ways(cells) == [("none", 1, "fused"), ("none", 1, "fused")]


def test_longer_trainings_weigh_more():
    cells = [Family([cell(1.0, 1.2, steps=100)], ALONE, []), Family([cell(3.0, 2.0)], ALONE, [])]
    assert ways(cells) == [("none", 1, "explicit"), ("none", 1, "explicit")]


def test_all_have_as_many_threads():
    """Side by side each process has half of the cores, and adds up in another order."""
    cells = [Family([cell(1.0, 1.1, 0.7, 0.9)], ALONE, []), Family([cell(2.0, 2.1, 2.2, 2.3)], ALONE, [])]
    assert len({jobs for _, jobs, _ in ways(cells)}) == 1


def test_a_stack_of_all_is_taken_where_it_is_faster_with_the_kernel_that_all_have():
    stacked = {str(ALL[0]): 0.5, str(ALL[1]): 0.9}
    family = Family([cell(1.0, 1.0, **stacked), cell(1.0, 1.0, **stacked)], ALONE, ALL)
    assert ways([family]) == [("cells", 1, "explicit")] * 2
    other = Family([cell(9.0, 2.0)], ALONE, [])
    assert ways([family, other]) == [("cells", 1, "fused")] * 2 + [("none", 1, "fused")]


def test_cells_that_are_added_are_trained_as_the_others_were():
    family = Family([cell(1.0, 2.0)], ALONE, [])
    assert ways([family], [Execution("cell", 1, "fused")]) == [("none", 1, "fused")]


@pytest.mark.parametrize("place", [0, 1])
def test_what_could_not_be_measured_follows_the_others(place):
    families = [Family([cell(3.0, 2.0)], ALONE, [])]
    families.insert(place, Family([cell()], ALONE, []))
    assert {(jobs, kernel) for _, jobs, kernel in ways(families)} == {(1, "fused")}
