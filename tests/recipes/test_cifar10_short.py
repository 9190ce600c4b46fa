import pytest

from vitlab.recipes import recipe


def test_it_trains_on_all_images_and_selects_nothing():
    """Five passes over the 50,000: 250,000 images, as its docstring says."""
    spec = recipe("cifar10_short")
    assert (spec.data.name, spec.epochs, spec.val_fraction, spec.weights) == ("cifar10", 5, 0.0, "last")


@pytest.mark.slow
def test_two_steps(two_steps):
    metrics = two_steps(recipe("cifar10_short"))
    assert metrics["images_seen"] == 8
    assert "val_top1" not in metrics
