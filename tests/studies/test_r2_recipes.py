"""R2's two ways to fine-tune, each at its own length."""

from vitlab.recipes import changed, recipe
from vitlab.study.files import read_study_spec


def test_the_cells_are_the_two_recipes_with_one_model():
    study = read_study_spec("r2_recipes:study")
    own, official = (changed(study.base, cell.settings) for cell in study.design.cells(study.base))
    assert own == recipe("r2_multistep:384_b16_cifar10")
    theirs = recipe("r2_official")
    for name in ("optim", "augment", "preprocess", "batch_size", "steps", "epochs"):
        assert getattr(official, name) == getattr(theirs, name), name
    assert official.model == own.model
    assert official.data == own.data


def test_both_begin_with_the_same_weights_where_some_are_given(tmp_path, tiny_spec):
    """`--set start.path=` is the base's, and so every cell's."""
    study = read_study_spec("r2_recipes:digits")
    cells = [changed(study.base, cell.settings) for cell in study.design.cells(study.base)]
    assert [cell.optim.schedule.name for cell in cells] == ["multistep", "cosine"]
    assert len({(cell.model, cell.steps, cell.start) for cell in cells}) == 1
