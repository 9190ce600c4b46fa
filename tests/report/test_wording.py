import pytest

from vitlab.report.wording import count, duration, loss, memory, percent, scaled


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (percent(353 / 360), "98.1"),
        (percent(1.0), "100.0"),
        (count(1234567.0), "1,234,567"),
        (scaled(512), "512"),
        (scaled(35.13e9, "FLOPs"), "35.1 GFLOPs"),
        (scaled(999_700), "1.00 M"),
        (memory(0), "0 B"),
        (memory(1023), "1.00 KiB"),
        (memory(1.5 * 2**30), "1.50 GiB"),
        (duration(7.31), "7.3 s"),
        (duration(59.96), "1 min 00 s"),
        (duration(75.4), "1 min 15 s"),
        (duration(3599.8), "1 h 00 min"),
        (duration(3725), "1 h 02 min"),
        (loss(0.08123), "0.081"),
    ],
)
def test_numbers_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected
