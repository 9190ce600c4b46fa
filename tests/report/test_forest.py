import re

from tests.report.outcomes import cell, comparison, effect, outcome, t
from vitlab.report.figures import COLOURS
from vitlab.report.forest import STYLES, differences, effects, scores

WORSE = comparison("none", "removing the position embedding", -0.41, t(-0.439, -0.382), "worse")
SAME = comparison("mean", "mean pooling", 0.003, t(-0.008, 0.014), "not distinguishable")
GONE = comparison("gone", "removing the head", None, None, None)
CELLS = (
    cell("baseline", scores=(0.95, 0.96, 0.97, 0.96, 0.95, 0.97), against=None),
    cell("none", 0.55, scores=(0.54, 0.55, 0.56, 0.55, 0.54, 0.56)),
    cell("mean", 0.963, scores=(0.95, 0.97, 0.97, 0.96, 0.95, 0.978)),
    cell("gone", None, None),
)


def test_every_comparison_is_named_with_its_numbers(beside):
    drawing = differences(outcome(SAME, GONE, WORSE, cells=CELLS), beside)
    svg = beside["differences.svg"].decode()
    for words in ("removing the position embedding", "−41.0 [−43.9, −38.2]", "+0.3 [−0.8, +1.4]", "no answer"):
        assert words in svg
    assert "removing the position embedding: −41.0 points, worse." in drawing.alt
    assert re.search(r"difference in test top-1, points \(higher is better\)", svg)
    rows = beside["differences.csv"].decode().splitlines()
    assert len(rows) == 1 + 6 + 6
    assert rows[1].startswith("none,baseline,0,-0.36")


def test_verdicts_differ_in_shape_as_well_as_colour():
    assert len({(style.shape, style.filled) for style in STYLES.values()}) == len(STYLES)
    assert len({style.colour for style in STYLES.values()}) == 3  # what is no difference is muted


def test_every_cell_is_named_with_its_mean(beside):
    drawing = scores(outcome(WORSE, cells=CELLS), beside)
    svg = beside["scores.svg"].decode()
    for words in (">baseline<", ">55.0", "no score"):
        assert words in svg
    assert svg.count(COLOURS["accent"]) >= 3
    assert "mean: 95.0, 97.0, 97.0, 96.0, 95.0, 97.8." in drawing.alt
    assert len(beside["scores.csv"].decode().splitlines()) == 1 + 24


def test_without_scores_there_is_nothing_to_draw(beside):
    nothing = outcome(GONE, cells=(cell("baseline", None, None), cell("gone", None, None)))
    assert differences(nothing, beside) is None
    assert scores(nothing, beside) is None
    assert beside == {}


def test_main_effects_and_interactions_have_a_picture(beside):
    main = effect(("position",), ("none",), ("learned",), -0.2, t(-0.25, -0.15), "worse")
    both = effect(
        ("position", "pool"), ("none", "cls"), ("learned", "mean"), 0.01, t(-0.02, 0.04), "not distinguishable"
    )
    drawing = effects(outcome(WORSE, effects=(main, both)), beside)
    svg = beside["effects.svg"].decode()
    for words in ("position none instead of learned", "−20.0 [−25.0, −15.0]", "+1.0 [−2.0, +4.0]"):
        assert words in svg
    assert "position none together with pool cls: +1.0 points, not distinguishable." in drawing.alt
    assert effects(outcome(WORSE), beside) is None


def test_a_long_name_stands_in_two_lines(beside):
    long = "2-D sinusoids instead of learned positions and mean pooling instead of cls"
    differences(outcome(comparison("a", long, -0.1, t(-0.2, -0.05), "worse")), beside)
    svg = beside["differences.svg"].decode()
    assert ">2-D sinusoids instead of learned positions<" in svg
    assert ">and mean pooling instead of cls<" in svg
