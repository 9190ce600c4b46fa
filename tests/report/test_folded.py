from vitlab.report.answers import Sentence
from vitlab.report.folded import AT_ONCE, folded


def told(*verdicts):
    return [Sentence(f"{place} {verdict}", "", "", verdict) for place, verdict in enumerate(verdicts)]


def test_a_few_answers_stand_all_above_the_picture():
    few = told(*["worse"] * AT_ONCE, None)
    found = folded(few, [])
    assert (found.first, found.rest, found.more) == (few, [], "")


def test_of_many_the_first_that_are_decided_stay_and_the_others_are_counted():
    many = told("worse", None, "better", *["worse"] * 5, *["not distinguishable"] * 3)
    found = folded(many)
    assert found.first == [many[0], *many[2:7]]
    assert found.rest == [many[1], *many[7:]]
    assert found.more == "5 more: 1 without a verdict, 1 worse, 3 not distinguishable"


def test_where_little_is_decided_the_first_of_the_others_fill_the_room():
    found = folded(told("worse", *["not distinguishable"] * 9))
    assert len(found.first) == AT_ONCE
    assert found.more == "4 more, not distinguishable"


def test_comparisons_leave_room_for_the_effects_of_a_factorial():
    compared, effects = told(*["worse"] * 9), told(*["better"] * 4)
    found = folded(compared, effects)
    assert found.first == [*compared[:3], *effects[:3]]
    assert found.more == "7 more: 6 worse, 1 better"


def test_answers_in_the_same_words_are_not_taken_for_one_another():
    alike = [Sentence("same", "", "", "worse") for _ in range(AT_ONCE + 3)]
    assert len(folded(alike).rest) == 3
