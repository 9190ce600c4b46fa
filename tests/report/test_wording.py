from dataclasses import replace

import pytest

from tests.report.test_together import EMPTY
from vitlab.records.run import Environment
from vitlab.report.wording import (
    Fact,
    choices_in_short,
    count,
    machines,
    memory,
    percent,
    scaled,
)


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
    ],
)
def test_numbers_are_written_for_people(written: str, expected: str) -> None:
    assert written == expected


def test_what_several_runs_share_stands_once_and_what_differs_is_counted() -> None:
    first = replace(EMPTY, environment=Environment({"cpu": "A"}, python="3.11", started="2026-01-02"))
    second = replace(EMPTY, environment=Environment({"cpu": "B"}, python="3.11", started="2026-01-01"))
    found = {fact.label: fact.value for fact in machines([first, second, first])}
    assert found["CPU"] == "A (2 runs); B (1 run)"
    assert found["Python"] == "3.11"
    assert found["Started"] == "2026-01-01 to 2026-01-02"
    assert machines([EMPTY])[0] == Fact("Hardware", None, "not recorded")
    assert machines([]) == []


def test_the_machine_s_choices_on_one_line() -> None:
    chosen = {"device": "cpu", "precision": "bf16", "kernel": "fused", "threads": 1, "compiled": True}

    def written(**choices: object) -> str:
        return choices_in_short(replace(EMPTY, environment=Environment(choices=choices)))

    assert written(**chosen) == "cpu, bf16, fused attention, 1 thread, compiled"
    assert written(**chosen | {"threads": 11, "compiled": False}) == "cpu, bf16, fused attention, 11 threads"
    assert written() == choices_in_short(EMPTY) == "not recorded"
