"""The tables: reasons numbered once, figures with what they are."""

from collections import defaultdict

from vitlab.reference import STUDIES
from vitlab.reference.page import COLUMNS, Reasons, accuracies, cells, page
from vitlab.reference.system import Evidence, Figure, Missing, System

RUN = Evidence(93.1, 3, 0.2, "vitlab train r0_cifar10", "one A100", "abc1234")
WHOLE = System("R9/a", "CIFAR-10", "r0_vit", "r0_cifar10", (Figure("top1", 93.5, "best epoch"),), RUN)
BARE = System("R9/b", "CIFAR-10", Missing("unknown"), Missing("untold"), ours=Missing("nothing to train"))


def test_a_whole_row():
    row = cells(WHOLE, {"r0_vit": 2_692_426}, Reasons(), WHOLE.published, code="`")
    ours = "93.1 ± 0.2 (n 3; one A100; abc1234; vitlab train r0_cifar10)"
    assert row == ("R9/a", "`r0_vit`", "2,692,426", "`r0_cifar10`", "93.5 (best epoch)", ours)


def test_what_a_study_says_of_all_its_figures_is_not_said_again():
    assert cells(WHOLE, {"r0_vit": 1}, Reasons(), WHOLE.published, usual="best epoch")[4] == "93.5"


def test_a_reason_has_one_number():
    reasons = Reasons()
    assert cells(BARE, {}, reasons, ()) == ("R9/b", "– [1]", "–", "– [2]", "–", "– [3]")
    assert reasons.dash(Missing("untold")) == "– [2]"
    assert reasons.lines() == ["[1] unknown", "[2] untold", "[3] nothing to train"]


def test_a_narrow_table_has_accuracies_only():
    assert accuracies(WHOLE) == (Figure("top1", 93.5),)


def test_the_page_has_every_row_and_no_broken_table():
    text = page(defaultdict(int))
    assert all(f"## {study.TITLE}" in text for study in STUDIES.values())
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {len(COLUMNS) + 2}
    assert len(lines) == sum(len(study.SYSTEMS) + 2 for study in STUDIES.values())
