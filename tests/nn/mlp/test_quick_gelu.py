import pytest
import torch

from vitlab.nn.mlp import quick_gelu

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_two_layers_with_the_sigmoid_approximation_between(tiny_dims, normal, randomise):
    mlp, x = randomise(quick_gelu.Spec().build(tiny_dims())), normal(2, 3, 16)
    hidden = x @ mlp.fc1.weight.T + mlp.fc1.bias
    hidden = hidden / (1 + (-1.702 * hidden).exp())
    torch.testing.assert_close(mlp(x), hidden @ mlp.fc2.weight.T + mlp.fc2.bias, rtol=0, atol=1e-12)


@pytest.mark.peer
def test_it_is_timms_with_the_same_weights(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs, x = randomise(timm.Mlp(16, 32, act_layer=timm.get_act_layer("quick_gelu"))), normal(2, 3, 16)
    ours = quick_gelu.Spec().build(tiny_dims())
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)
