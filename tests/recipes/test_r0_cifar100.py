"""R0's recipe on CIFAR-100: what it shares with CIFAR-10's, and where it differs."""

from dataclasses import replace

import pytest

from vitlab.models.cost import cost
from vitlab.recipes import recipe
from vitlab.recipes.r0_cifar10 import VARIANTS as ON_CIFAR10
from vitlab.recipes.r0_cifar100 import VARIANTS


def test_it_differs_from_cifar10s_in_data_order_and_stochastic_depth():
    ten, hundred = recipe("r0_cifar10"), recipe("r0_cifar100")
    assert [op.name for op in hundred.augment] == ["flip", "crop", "auto_augment", "erase", "mix"]
    assert sorted(ten.augment, key=str) == sorted(hundred.augment, key=str)
    assert hundred.model == replace(ten.model, num_classes=100, drop_path=0.1)
    assert replace(hundred, data=ten.data, model=ten.model, augment=ten.augment) == ten
    assert (hundred.data.mean, hundred.data.std) == ((0.507, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "parameters"), [("", 2_709_796), (":tomvit", 2_696_740), (":fff", 2_696_740)])
def test_parameters(variant, parameters):
    assert cost(recipe(f"r0_cifar100{variant}").model).num_params == parameters


def test_every_variant_has_stochastic_depth():
    assert VARIANTS.keys() == ON_CIFAR10.keys()
    assert {recipe(f"r0_cifar100:{name}").model.drop_path for name in VARIANTS} == {0.1}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["r0_cifar100", "r0_cifar100:tomvit"])
def test_two_steps(two_steps, name):
    assert two_steps(recipe(name))["steps"] == 2
