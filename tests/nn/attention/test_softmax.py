from math import exp, sqrt

import pytest
import torch

from vitlab.nn.attention import softmax

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("scale", [None, 0.3])
def test_weights_are_the_paper_s_equation(scale, tiny_dims, normal):
    attention = softmax.Spec(scale=scale).build(tiny_dims())
    q, k, bias = normal(1, 1, 3, 8), normal(1, 1, 3, 8), normal(1, 3, 3)
    weights = attention.weights(q, k, bias)[0, 0]
    factor = 1 / sqrt(8) if scale is None else scale
    for i in range(3):
        masses = [exp(factor * torch.dot(q[0, 0, i], k[0, 0, j]).item() + bias[0, i, j].item()) for j in range(3)]
        assert weights[i].tolist() == pytest.approx([mass / sum(masses) for mass in masses], abs=1e-14)


def test_training_uses_the_fused_kernel_unless_told_otherwise(tiny_dims):
    assert softmax.Spec().build(tiny_dims()).kernel == "fused"
