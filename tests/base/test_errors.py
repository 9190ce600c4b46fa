import pytest

from vitlab.base.errors import CheckpointError, DataError, SpecError, UserError, unknown


@pytest.mark.parametrize("error", [SpecError, DataError, CheckpointError])
def test_every_mistake_of_a_user_is_a_user_error(error):
    assert issubclass(error, UserError)
    assert issubclass(error, ValueError)


def test_a_near_name_is_suggested():
    message = unknown("attention", "sofmax", ["linear", "softmax", "performer"])
    assert message == "unknown attention 'sofmax'; did you mean softmax?"


def test_without_a_near_name_all_are_listed_in_order():
    assert unknown("pool", "xyz", ["mean", "cls"]) == "unknown pool 'xyz'; legal: cls, mean"


def test_where_nothing_is_legal_it_says_so():
    assert unknown("setting", "eps", []) == "unknown setting 'eps'; legal: none"
