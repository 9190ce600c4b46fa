import pytest

from vitlab.base.words import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (12345, "12,345 runs")])
def test_a_noun_agrees_with_its_number(number, said):
    assert counted(number, "run") == said
