from math import erf, sqrt

import pytest
import torch

from vitlab.nn.mlp import gelu

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_two_layers_with_x_times_phi_of_x_between(tiny_dims, normal, randomise):
    mlp, x = randomise(gelu.Spec().build(tiny_dims())), normal(2, 3, 16)
    hidden = x @ mlp.fc1.weight.T + mlp.fc1.bias
    assert hidden.shape == (2, 3, 32)
    hidden = hidden.detach().apply_(lambda value: value * 0.5 * (1 + erf(value / sqrt(2))))
    torch.testing.assert_close(mlp(x), hidden @ mlp.fc2.weight.T + mlp.fc2.bias, rtol=0, atol=1e-12)


def test_dropout_follows_both_layers(tiny_dims, normal, randomise):
    from vitlab.rng import sample_keys

    mlp, x = randomise(gelu.Spec().build(tiny_dims(mlp_dropout=0.3))), normal(2, 3, 16)
    keys = sample_keys(torch.tensor([0]), torch.arange(2))[0]
    hidden = mlp.drop1(torch.nn.functional.gelu(mlp.fc1(x)), keys)
    assert torch.equal(mlp(x, keys), mlp.drop2(mlp.fc2(hidden), keys))
    assert mlp.drop1.tag != mlp.drop2.tag
