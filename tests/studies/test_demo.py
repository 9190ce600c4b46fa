"""What the demo compares: one part at a time, in a model that is trained in seconds."""

from vitlab.studies.demo import study
from vitlab.study.plan import plan


def test_the_cells_and_what_is_said_of_them():
    cells = plan(study()).cells
    assert [(each.cell.name, each.cell.says) for each in cells] == [
        ("baseline", ""),
        ("position embedding none", "removing the position embedding"),
        ("position embedding sincos2d", "2-D sinusoids instead of learned positions"),
        ("position embedding rope2d", "rotary positions (2-D) instead of learned ones"),
        ("pooling mean", "mean pooling instead of cls"),
        ("norms post-norm", "post-norm instead of pre-norm"),
        ("attention linear", "linear attention instead of softmax"),
        ("registers 4", "adding 4 registers"),
    ]
    assert {each.cell.against for each in cells[1:]} == {"baseline"}


def test_every_cell_differs_from_the_baseline_in_its_part_alone():
    """D 32: 17 learned positions, a cls token of its own, four registers with positions of theirs."""
    baseline, *others = plan(study()).cells
    assert baseline.cost.num_params == 18_218
    added = {each.cell.name: each.cost.num_params - baseline.cost.num_params for each in others}
    assert added == {
        "position embedding none": -17 * 32,
        "position embedding sincos2d": -17 * 32,
        "position embedding rope2d": -17 * 32,
        "pooling mean": -2 * 32,  # cls and its position
        "norms post-norm": 0,
        "attention linear": 0,
        "registers 4": 2 * 4 * 32,
    }


def test_six_paired_seeds_that_all_take_the_same_steps():
    found = plan(study())
    assert found.study.seeds == (0, 1, 2, 3, 4, 5)
    assert {each.steps for each in found.cells} == {400}
