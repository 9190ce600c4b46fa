import pytest

from vitlab.base.durations import duration, roughly


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (duration(7.31), "7.3 s"),
        (duration(59.96), "1 min 00 s"),
        (duration(75.4), "1 min 15 s"),
        (duration(3599.8), "1 h 00 min"),
        (duration(3725), "1 h 02 min"),
        (roughly(40.4), "40 s"),
        (roughly(700), "12 min"),
        (roughly(12_000), "3 h 20 min"),
        (roughly(180_000), "50 h"),
        (roughly(1_080_000), "12 days"),
        (roughly(406_000_000), "4,700 days"),
    ],
)
def test_durations_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected
