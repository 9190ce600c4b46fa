import re
from math import inf

import pytest

from vitlab.report.mechanisms import best, draw, faster_from, grouped, shown


def row(name, kernel, seconds):
    points = [
        {"tokens": 64 << (2 * i), "step_seconds": value, "peak_memory_bytes": 1000 * (i + 1)}
        for i, value in enumerate(seconds)
    ]
    return {"name": name, "label": f"{name}, {kernel}" if kernel else name, "kernel": kernel, "points": points}


ROWS = [
    row("softmax", "fused", [1.0, 10.0, 100.0]),
    row("softmax", "explicit", [0.5, 20.0, 400.0]),
    row("linear", None, [2.0, 8.0, 32.0]),
]


def test_the_best_of_softmax_is_the_best_kernel_at_every_number_of_tokens():
    assert best(ROWS[:2], "step_seconds") == {64: 0.5, 256: 10.0, 1024: 100.0}


def test_lines_cross_where_they_do_on_logarithmic_axes():
    """From 2 : 1 to 1 : 2 over two octaves of tokens: half way, at one octave."""
    assert faster_from({64: 2.0, 256: 4.0}, {64: 1.0, 256: 8.0}) == pytest.approx(128)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({64: 2.0, 256: 2.0}, {64: 1.0, 256: 1.0}),  # never
        ({64: 1.0, 256: 3.0}, {64: 2.0, 256: 2.0}),  # falls behind
        ({64: 2.0, 256: 2.0}, {64: 1.0, 256: 2.0}),  # the same in the end
        ({64: 1.0}, {}),
        ({}, {}),
    ],
)
def test_lines_that_do_not_cross_for_good_have_no_crossing(ours, theirs):
    assert faster_from(ours, theirs) == inf


def test_what_is_ahead_from_the_start_is_so_from_the_first_number_of_tokens():
    assert faster_from({64: 1.0, 256: 1.0}, {64: 2.0, 256: 2.0}) == 64


def test_the_last_crossing_counts():
    assert 2 < faster_from({1: 1.0, 2: 3.0, 4: 1.0}, {1: 2.0, 2: 2.0, 4: 2.0}) < 4


def test_a_lead_that_noise_may_have_given_is_no_crossing():
    ours, theirs = {64: 2.0, 256: 4.0}, {64: 1.0, 256: 4.04}
    assert faster_from(ours, theirs) < inf
    assert faster_from(ours, theirs, noise=0.02) == inf


def test_mechanisms_are_grouped_by_when_they_are_faster_than_softmax_attention():
    rows = [*ROWS, row("lsa", "fused", [1.0, 11.0, 101.0]), row("identity", None, [0.1, 0.1, 0.1])]
    slower, later, always = grouped(rows, noise=0.02).values()
    assert slower == {"lsa, fused": inf}
    assert list(later) == ["linear"]
    assert 64 < later["linear"] < 256
    assert always == {"identity": 64}


@pytest.mark.parametrize(("rows", "labels"), [(ROWS[2:], ["linear"]), (ROWS[:2], [])])
def test_with_nothing_to_compare_all_stand_together(rows, labels, beside):
    (group,) = grouped(rows, noise=0.02).values()
    assert list(group) == labels
    assert draw({"mechanisms": rows, "noise": 0.02}, beside).alt


def test_softmax_has_a_line_for_each_kernel_and_any_other_its_best():
    rows = [
        *ROWS,
        row("lsa", "fused", [1.0, 2.0, 3.0]),
        row("lsa", "explicit", [1.0, 1.0]),  # memory held no more
        row("gpsa", "fused", [3.0, 9.0]),
        row("gpsa", "explicit", [9.0, 3.0]),
        row("none", None, []),
    ]
    labels = [each["label"] for each in shown(rows)]
    assert labels == ["softmax, fused", "softmax, explicit", "linear", "lsa, fused", "gpsa, explicit", "none"]


@pytest.mark.slow
def test_the_picture_names_every_line_at_its_end_and_draws_each_of_a_frame_in_its_own_way(beside):
    slow = [row(f"slow_{number}", None, [number, 30.0 * number, 300.0 * number]) for number in range(2, 8)]
    drawing = draw({"mechanisms": [*ROWS, *slow], "noise": 0.02}, beside)
    svg = beside["attention.svg"].decode()
    assert len(beside["attention.png"]) > 10_000
    assert svg.count(">time of a training step, softmax attention = 1 ×<") == 2  # of what is slower, of what is faster
    named = {label: svg.count(f">{label}<") for label in ("softmax, fused", "linear", "slow_2", "slow_7")}
    assert named == {"softmax, fused": 4, "linear": 2, "slow_2": 2, "slow_7": 2}  # of time and of memory
    looks = re.findall(r'stroke="(#\w+)" stroke-width="1.5" stroke-dasharray="([\d,]+)"', svg)
    assert len(looks) == 2 * (len(slow) + 1)
    assert len(set(looks[: len(slow)])) == len(slow)
    assert svg.count("linear is faster than softmax attention from") == 1
    assert drawing.alt in drawing.wide
