import pytest
import torch

from vitlab.nn.mlp import relu

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_two_layers_with_a_cut_at_zero_between(tiny_dims, normal, randomise):
    mlp, x = randomise(relu.Spec().build(tiny_dims())), normal(2, 3, 16)
    hidden = (x @ mlp.fc1.weight.T + mlp.fc1.bias).clamp(min=0)
    torch.testing.assert_close(mlp(x), hidden @ mlp.fc2.weight.T + mlp.fc2.bias, rtol=0, atol=1e-12)
