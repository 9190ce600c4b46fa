from math import exp, log, sqrt

import pytest
import torch

from vitlab.nn.attention import sigmoid

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize(("setting", "b"), [(None, -log(7)), (0.5, 0.5), (0.0, 0.0)])
def test_weights_are_the_paper_s_equation(setting, b, tiny_dims, normal):
    attention = sigmoid.Spec(bias=setting).build(tiny_dims())
    q, k, bias = normal(1, 1, 7, 8), normal(1, 1, 7, 8), normal(1, 7, 7)
    weights = attention.weights(q, k, bias)[0, 0]
    for i in range(7):
        logits = [torch.dot(q[0, 0, i], k[0, 0, j]).item() / sqrt(8) + bias[0, i, j].item() + b for j in range(7)]
        assert weights[i].tolist() == pytest.approx([1 / (1 + exp(-logit)) for logit in logits], abs=1e-14)


def test_rows_begin_near_one_whatever_the_number_of_tokens(tiny_dims):
    for settings in ({}, {"num_registers": 5}, {"img_size": 40}):
        dims = tiny_dims(**settings)
        nothing = torch.zeros(1, 2, dims.num_tokens, 8)
        sums = sigmoid.Spec().build(dims).weights(nothing, nothing).sum(-1)
        torch.testing.assert_close(sums, torch.full_like(sums, dims.num_tokens / (dims.num_tokens + 1)))


def test_a_key_takes_nothing_from_the_others(tiny_dims, normal):
    attention, q, k = sigmoid.Spec().build(tiny_dims()), normal(1, 2, 7, 8), normal(1, 2, 7, 8)
    changed = k.clone()
    changed[:, :, 3] += 1
    moved = (attention.weights(q, k) != attention.weights(q, changed)).any(dim=(0, 1, 2))
    assert moved.tolist() == [False, False, False, True, False, False, False]
