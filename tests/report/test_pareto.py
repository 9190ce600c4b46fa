from tests.report.outcomes import COSTS, cell, outcome
from vitlab.report.pareto import tradeoffs


def study(**changes):
    cells = (
        cell("baseline", 0.96, costs=COSTS),
        cell("small", 0.93, costs=COSTS | {"num_params": 100.0, "flops": 1.99e6, "seconds_per_step": None}),
        cell("poor", 0.90, costs=COSTS | {"num_params": 5000.0}),
    )
    fronts = {
        "num_params": ("small", "baseline"),
        "flops": ("small", "baseline"),
        "seconds_per_image": ("baseline",),
        "activation_bytes": ("baseline",),
    }
    return outcome(cells=cells, fronts=fronts, **changes)


def test_a_cost_that_differs_is_drawn_and_any_other_is_told(beside):
    choices, said = tradeoffs(study(), beside)
    assert [(choice.name, [drawing.title for drawing in choice.drawings]) for choice in choices] == [
        ("counted", ["Against parameters"])
    ]
    assert said == [
        "FLOPs / image: 1.99 M to 2.00 M, within 1 % of each other, so not drawn.",
        "µs / image: 100 in every cell, so not drawn.",
        "Activations: 4.00 KiB in every cell, so not drawn.",
        "ms / step: not known well enough of every cell, so not drawn.",
    ]


def test_the_front_is_named_in_the_picture_and_in_words(beside):
    (choice,), _ = tradeoffs(study(), beside)
    (drawing,) = choice.drawings
    svg = beside["pareto_num_params.svg"].decode()
    for named in ("small, 100", "baseline, 1,000", "poor, 5,000"):
        assert f">{named}<" in svg
    assert drawing.alt.endswith("On the front, the cheapest first: small, baseline.")
    assert beside["pareto.csv"].decode().splitlines()[2:] == [
        "small,0.93,100.0,1990000.0,0.0001,,4096.0,yes,yes,no,,no",
        "poor,0.9,5000.0,2000000.0,0.0001,0.01,4096.0,no,no,no,,no",
    ]


def test_one_cell_is_no_front(beside):
    assert tradeoffs(outcome(), beside) == ([], [])
