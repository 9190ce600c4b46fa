import pytest
import torch

from vitlab.nn.mlp import swiglu

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_the_written_equation(tiny_dims, normal, randomise):
    mlp, x = randomise(swiglu.Spec().build(tiny_dims())), normal(2, 3, 16)
    gate = x @ mlp.fc1_g.weight.T + mlp.fc1_g.bias
    hidden = gate / (1 + (-gate).exp()) * (x @ mlp.fc1_x.weight.T + mlp.fc1_x.bias)
    torch.testing.assert_close(mlp(x), hidden @ mlp.fc2.weight.T + mlp.fc2.bias, rtol=0, atol=1e-12)


@pytest.mark.peer
def test_it_is_timms_with_the_same_weights(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs, x = randomise(timm.SwiGLU(16, 32)), normal(2, 3, 16)
    ours = swiglu.Spec().build(tiny_dims())
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)
