"""Seven levels of augmentation, with the regulariser and without; on ImageNet they are the recipe's variants."""

import pytest

from vitlab.recipes import recipe

LEVELS = ("none", "light1", "light2", "medium1", "medium2", "strong1", "strong2")


@pytest.mark.slow
def test_on_imagenet_every_cell_is_a_variant_of_the_recipe(planned):
    found = planned("augreg")
    names = [level + end for level in LEVELS for end in ("", "_reg")]
    variants = [recipe("augreg" if name == "none" else f"augreg:{name}") for name in names]
    assert [cell.candidates[0].spec for cell in found.cells] == variants
    assert {cell.cost.num_params for cell in found.cells} == {22_050_664}  # ViT-S/16
    assert found.study.num_seeds == 4


@pytest.mark.parametrize(("function", "before"), [("cifar10", ["crop", "flip"]), ("digits", [])])
@pytest.mark.slow
def test_on_small_pictures_the_same_levels_stand_behind_other_operations(planned, function, before):
    whole = {each.cell.name: each.candidates[0].spec for each in planned("augreg").cells}
    for cell in planned("augreg", function).cells:
        spec, same = cell.candidates[0].spec, whole[cell.cell.name]
        assert [op.name for op in spec.augment[: len(before)]] == before
        assert spec.augment[len(before) :] == same.augment[2:]
        assert (spec.model.drop_path, spec.model.mlp_dropout) == (same.model.drop_path, same.model.mlp_dropout)
