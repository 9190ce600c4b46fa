import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.base.spec import from_dict, to_dict
from vitlab.data.sets._base import DataSpec
from vitlab.data.sets.digits import Spec


def test_sizes_and_balance():
    digits = Spec().load()
    assert digits.train.pixels.shape == (Spec.num_train, Spec.in_chans, *Spec.img_size)
    assert digits.test.labels.bincount().tolist() == [36] * Spec.num_classes
    assert digits.class_names == tuple("0123456789")
    assert digits.train.pixels.dtype == torch.uint8


def test_every_digit_is_in_one_split():
    from sklearn.datasets import load_digits

    digits = Spec().load()
    both = torch.cat([digits.train.pixels, digits.test.pixels])[:, 0].double() * 16 / 255
    order = both.round().flatten(1).tolist()
    assert sorted(order) == sorted(torch.from_numpy(load_digits().images).flatten(1).tolist())


def test_the_split_never_changes():
    """Its first test images, recorded once: scores on the digits are comparable only on the same test."""
    digits = Spec().load()
    assert digits.test.labels[:12].tolist() == [3, 2, 2, 3, 5, 8, 9, 5, 5, 8, 7, 3]
    assert digits.test.pixels.long().sum().item() == 1772054


def test_the_normalisation_is_that_of_the_training_images():
    pixels = Spec().load().train.pixels.double() / 255
    assert Spec().mean == pytest.approx([pixels.mean().item()], abs=5e-5)
    assert Spec().std == pytest.approx([pixels.std(correction=0).item()], abs=5e-5)


@pytest.mark.parametrize("settings", [{"mean": [0.1, 0.2]}, {"std": [0.0]}, {"std": []}])
def test_a_normalisation_that_cannot_be_is_refused(settings: dict[str, list[float]]):
    with pytest.raises(SpecError, match=next(iter(settings))):
        from_dict(Spec, settings)


def test_there_is_nothing_that_only_a_look_tells():
    digits = Spec()
    assert digits.resolved() is digits
    assert (digits.load().order, digits.load().unreadable) == ("exact", {})


def test_the_name_selects_it():
    assert from_dict(DataSpec, to_dict(Spec(std=(0.5,)))) == Spec(std=(0.5,))
