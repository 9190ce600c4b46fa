import pytest

from vitlab.stats.majority import Majority, majority


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ({"ant": 100, "bee": 5}, Majority("ant", 100 / 105)),
        ({"ant": 0, "bee": 2, "cat": 4}, Majority("cat", 4 / 6)),
        ({"ant": 19, "bee": 10}, None),
        ({"ant": 0, "bee": 7}, None),
        ({}, None),
    ],
)
def test_the_majority_is_told_where_classes_are_uneven(images, expected):
    assert majority(images) == expected
