from vitlab.models.vit import build
from vitlab.recipes import recipe


def test_it_is_the_first_thing_to_try():
    """The bundled set, a validation split to look at, and a model that a laptop trains in a minute."""
    spec = recipe("digits")
    assert spec.data.name == "digits"
    assert spec.val_fraction > 0
    assert sum(parameter.numel() for parameter in build(spec.model).parameters()) < 1e6


def test_two_steps(two_steps):
    assert two_steps(recipe("digits"))["images_seen"] == 8
