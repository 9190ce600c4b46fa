"""What the demo compares: one part at a time, in a model that is trained in seconds."""

from vitlab.studies.demo import study
from vitlab.study.plan import plan


def test_the_cells_and_what_is_said_of_them():
    cells = plan(study()).cells
    assert [(each.cell.name, each.cell.says) for each in cells] == [
        ("baseline", ""),
        ("position embedding none", "removing the position embedding"),
        ("mixer average pooling", "average pooling instead of attention"),
        ("attention heads 1", "1 attention head instead of 4"),
        ("patch size 4 × 4", "patch size 4 × 4 instead of 2 × 2"),
        ("norm placement post-norm", "post-norm instead of pre-norm"),
        ("pooling mean", "mean pooling instead of cls"),
        ("registers 4", "adding 4 registers"),
        ("training images a third", "training on a third of the images"),
    ]
    assert {each.cell.against for each in cells[1:]} == {"baseline"}


def test_every_cell_differs_from_the_baseline_in_its_part_alone():
    """D 32, depth 2: 17 learned positions, a cls token of its own, four registers with positions of theirs."""
    baseline, *others = plan(study()).cells
    assert baseline.cost.num_params == 18_218
    added = {each.cell.name: each.cost.num_params - baseline.cost.num_params for each in others}
    assert added == {
        "position embedding none": -17 * 32,
        "mixer average pooling": -2 * (4 * 32 * 32 + 4 * 32),  # the projections of both layers
        "attention heads 1": 0,
        "patch size 4 × 4": (16 - 4 - 12) * 32,  # a larger patch's weights, fewer positions
        "norm placement post-norm": 0,
        "pooling mean": -2 * 32,  # cls and its position
        "registers 4": 2 * 4 * 32,
        "training images a third": 0,
    }


def test_six_seeds_that_all_take_the_same_steps():
    found = plan(study())
    assert found.study.seeds == (0, 1, 2, 3, 4, 5)
    assert {each.steps for each in found.cells} == {400}
