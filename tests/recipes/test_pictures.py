"""The recipe for one's own pictures: AugReg's light2, and a folder taken as it is."""

from vitlab.recipes import recipe
from vitlab.recipes.augreg import level


def test_its_level_is_augregs_light2():
    _, _, policy, mix = recipe("pictures").augment
    _, _, theirs, mixed = level(2, 10, 0.2)["augment"]
    assert {name: getattr(policy, name) for name in theirs} == theirs
    assert {name: getattr(mix, name) for name in mixed} == mixed


def test_two_steps_of_small_pictures(two_small_steps):
    assert two_small_steps("pictures")["images_seen"] == 8
