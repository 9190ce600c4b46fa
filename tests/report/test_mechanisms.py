import pytest

from vitlab.report.mechanisms import best_softmax, crossing, draw, shown


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
    assert best_softmax(ROWS, "step_seconds") == {64: 0.5, 256: 10.0, 1024: 100.0}


def test_lines_cross_where_they_do_on_logarithmic_axes():
    """From 2 : 1 to 1 : 2 over two octaves of tokens: half way, at one octave."""
    assert crossing({64: 2.0, 256: 4.0}, {64: 1.0, 256: 8.0}) == pytest.approx((128, 2 * 2**0.5))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({64: 1.0, 256: 1.0}, {64: 2.0, 256: 2.0}),  # ahead from the start
        ({64: 2.0, 256: 2.0}, {64: 1.0, 256: 1.0}),  # never
        ({64: 1.0, 256: 3.0}, {64: 2.0, 256: 2.0}),  # falls behind
        ({64: 1.0}, {64: 2.0}),
        ({}, {}),
    ],
)
def test_lines_that_do_not_cross_for_good_have_no_crossing(ours, theirs):
    assert crossing(ours, theirs) is None


def test_the_last_crossing_counts():
    found = crossing({1: 1.0, 2: 3.0, 4: 1.0}, {1: 2.0, 2: 2.0, 4: 2.0})
    assert 2 < found[0] < 4


def test_a_lead_that_noise_may_have_given_is_no_crossing():
    ours, theirs = {64: 2.0, 256: 4.0}, {64: 1.0, 256: 4.04}
    assert crossing(ours, theirs) is not None
    assert crossing(ours, theirs, noise=0.02) is None


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
def test_the_picture_names_every_line(beside):
    drawing = draw({"mechanisms": ROWS, "noise": 0.02}, beside)
    svg = beside["attention.svg"].decode()
    assert len(beside["attention.png"]) > 10_000
    for label in ("softmax, fused", "softmax, explicit", "linear", "1,024", "ms / image of a training step"):
        assert label in svg
    assert drawing.alt in drawing.wide
