"""What a study claims, and whether its seeds could decide it."""

import pytest

from vitlab.base.errors import SpecError
from vitlab.study.claims import Contrast, all_contrasts, enough_seeds, seeds_by_cell, undecidable
from vitlab.study.design import factorial, listed
from vitlab.study.design._base import Level
from vitlab.study.plan import plan
from vitlab.study.spec import factor

CROSSED = factorial.Spec((factor("model.depth", 2, 4, name="depth"), factor("batch_size", 16, 48, name="batch")))


@pytest.fixture
def cells(base_run):
    """`cells(3)`: a base and three others."""
    return lambda others: listed.Spec(
        tuple(Level(f"cell {i}", {"optim.lr": 0.1 + i} if i else {}) for i in range(others + 1))
    ).cells(base_run())


def test_every_comparison_and_every_effect_is_a_claim(base_run):
    claims = all_contrasts(CROSSED.cells(base_run()), {"depth": ["2", "4"], "batch": ["16", "48"]})
    assert [claim.name for claim in claims] == [
        "depth 2, batch 48",
        "depth 4, batch 16",
        "depth 4, batch 48",
        "effect depth=4",
        "effect batch=48",
        "effect depth=4 × batch=48",
    ]
    assert claims[0].weights == {"depth 2, batch 48": 1.0, "depth 2, batch 16": -1.0}
    assert claims[3].exchangeable == (
        ("depth 4, batch 16", "depth 2, batch 16"),
        ("depth 4, batch 48", "depth 2, batch 48"),
    )
    assert claims[5].exchangeable == ()


@pytest.mark.parametrize(("others", "seeds", "baseline"), [(1, 6, 6), (2, 6, 9), (7, 6, 16), (9, 4, 12)])
def test_a_baseline_of_many_has_more_seeds(cells, others, seeds, baseline):
    found = seeds_by_cell(cells(others), seeds, None, paired=False)
    assert found == {"cell 0": baseline} | {f"cell {i}": seeds for i in range(1, others + 1)}
    assert set(seeds_by_cell(cells(others), seeds, None, paired=True).values()) == {seeds}
    assert seeds_by_cell(cells(others), seeds, 20, paired=False)["cell 0"] == (20 if others > 1 else seeds)


@pytest.mark.parametrize(
    ("others", "seeds", "baseline", "decidable"),
    [
        (1, 3, 3, False),  # .10
        (1, 4, 4, True),  # .029
        (2, 4, 4, False),  # .029 > .025
        (6, 5, 5, True),  # .0079 < .0083
        (7, 5, 5, False),  # .0079 > .0071
        (20, 6, 6, True),  # .0022 < .0025
    ],
)
def test_the_smallest_p_must_pass_the_correction(cells, others, seeds, baseline, decidable):
    claims = all_contrasts(cells(others), {})
    found = seeds_by_cell(cells(others), seeds, baseline, paired=False)
    assert (undecidable(claims, found, paired=False) == []) is decidable


def test_the_seeds_that_are_advised_are_enough_and_one_less_is_not(cells):
    for others in (1, 3, 11):
        claims = all_contrasts(cells(others), {})
        for paired in (False, True):
            number = enough_seeds(cells(others), claims, paired=paired)
            counts = [seeds_by_cell(cells(others), n, None, paired=paired) for n in (number, number - 1)]
            assert [bool(undecidable(claims, each, paired=paired)) for each in counts] == [False, True]


def test_a_plan_that_can_decide_nothing_is_refused_with_what_would(study_of):
    few = {"cells": {"plain": {}, "deep": {"model.depth": 4}}, "num_seeds": 3}
    with pytest.raises(
        SpecError,
        match=r"num_seeds=3: 1 of 1 claim could not be decided.*is 0\.1, and a verdict.*"
        r"asks for 0\.05; --seeds 4 can decide all; --no-verdicts trains",
    ):
        plan(study_of(few["cells"], num_seeds=3, verdicts=True))
    planned = plan(study_of(few["cells"], num_seeds=4, verdicts=True))
    assert [cell.seeds for cell in planned.cells] == [(0, 1, 2, 3)] * 2
    assert len(plan(study_of(few["cells"], num_seeds=1)).cells) == 2


def test_a_baseline_gets_its_seeds_only_where_there_are_verdicts(study_of):
    cells = {"plain": {}, **{f"lr {lr}": {"optim.lr": lr} for lr in (0.1, 0.2, 0.3)}}
    with_verdicts, without = (plan(study_of(cells, num_seeds=6, verdicts=each)) for each in (True, False))
    assert [len(cell.seeds) for cell in with_verdicts.cells] == [11, 6, 6, 6]
    assert [len(cell.seeds) for cell in without.cells] == [6, 6, 6, 6]
    assert with_verdicts.as_record().id == without.as_record().id


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"baseline_seeds": 5}, "baseline_seeds=5: must be from num_seeds=6"),
        ({"paired": True, "baseline_seeds": 8}, "paired cells have the same seeds"),
        ({"worth": 0.0}, "worth=0.0: expected a positive number"),
        ({"worth": True}, "worth=True: expected a positive number"),
        ({"worth": "a lot"}, "worth='a lot': expected a positive number"),
        ({"worth": 5.0}, "worth=5: test_top1 is from 0 to 1, so half a point is worth=0.005"),
        ({"worth": float("inf")}, "worth=inf: expected a positive number"),
    ],
)
def test_what_cannot_be_is_refused(study_of, changes, said):
    with pytest.raises(SpecError, match=said):
        study_of({"plain": {}}, num_seeds=6, **changes)


def test_a_claim_may_be_decided_once_others_are():
    """Of three, two can reach .0095 and the last only .029: it has Holm's last step, .05."""
    seeds = {"a": 6, "b": 4, "c": 4, "d": 4}
    claims = [
        Contrast(name, {name: 1.0, other: -1.0}, ((name, other),))
        for name, other in (("b", "a"), ("c", "a"), ("d", "c"))
    ]
    assert undecidable(claims, seeds, paired=False) == []
    fewer = undecidable(claims, seeds | {"a": 4}, paired=False)
    assert [claim.name for claim in fewer] == ["b", "c", "d"]


def test_a_factorial_of_one_factor_has_no_effects_beside_its_comparisons(base_run):
    single = factorial.Spec((factor("model.depth", 2, 4, name="depth"),))
    assert [claim.name for claim in all_contrasts(single.cells(base_run()), {"depth": ["2", "4"]})] == ["depth 4"]


def test_seeds_of_a_baseline_that_are_asked_for_are_trained_without_verdicts_too(study_of):
    cells = {"plain": {}, "a": {"optim.lr": 0.1}, "b": {"optim.lr": 0.2}}
    assert [len(cell.seeds) for cell in plan(study_of(cells, num_seeds=2, baseline_seeds=5)).cells] == [5, 2, 2]
