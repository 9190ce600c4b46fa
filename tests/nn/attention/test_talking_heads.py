from math import exp, sqrt

import pytest
import torch

from vitlab.nn.attention import softmax, talking_heads
from vitlab.nn.kinds import parameter_kinds

pytestmark = pytest.mark.usefixtures("double")


def test_weights_are_the_equation_number_by_number(tiny_dims, normal, randomise):
    attention = randomise(talking_heads.Spec().build(tiny_dims(num_heads=4)))
    heads, tokens = range(4), range(3)
    q, k, bias = normal(1, 4, 3, 4), normal(1, 4, 3, 4), normal(4, 3, 3)
    mix_l, mix_w = attention.proj_l.weight.tolist(), attention.proj_w.weight.tolist()
    weights = attention.weights(q, k, bias)[0]
    for i in tokens:
        logits = [[torch.dot(q[0, h, i], k[0, h, j]).item() / sqrt(4) for j in tokens] for h in heads]
        shares = []
        for h in heads:
            mixed = [sum(mix_l[h][g] * logits[g][j] for g in heads) + bias[h, i, j].item() for j in tokens]
            mass = sum(exp(value) for value in mixed)
            shares.append([exp(value) / mass for value in mixed])
        for h in heads:
            expected = [sum(mix_w[h][g] * shares[g][j] for g in heads) for j in tokens]
            assert weights[h, i].tolist() == pytest.approx(expected, abs=1e-13)


def test_heads_that_keep_to_themselves_are_softmax_attention(tiny_dims, normal):
    attention = talking_heads.Spec().build(tiny_dims())
    with torch.no_grad():
        attention.proj_l.weight.copy_(torch.eye(2))
        attention.proj_w.weight.copy_(torch.eye(2))
    q, k, bias = normal(1, 2, 7, 8), normal(1, 2, 7, 8), normal(2, 7, 7)
    expected = softmax.Spec().build(tiny_dims()).weights(q, k, bias)
    torch.testing.assert_close(attention.weights(q, k, bias), expected, rtol=0, atol=1e-14)


def test_its_two_maps_are_drawn_as_linear_layers_are(tiny_dims):
    kinds = parameter_kinds(talking_heads.Spec().build(tiny_dims()))
    assert kinds == {"proj_l.weight": "kernel", "proj_w.weight": "kernel"}


@pytest.mark.peer
def test_it_is_timms_without_the_biases(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.cait")
    theirs = randomise(timm.TalkingHeadAttn(16, num_heads=4, qkv_bias=True)).eval()
    ours = talking_heads.Spec().build(tiny_dims(num_heads=4))
    with torch.no_grad():
        theirs.proj_w.bias.zero_()  # that of proj_l is one number a row, which the softmax ignores
        theirs.proj.weight.copy_(torch.eye(16))
        theirs.proj.bias.zero_()
        ours.proj_l.weight.copy_(theirs.proj_l.weight)
        ours.proj_w.weight.copy_(theirs.proj_w.weight)
    x = normal(3, 6, 16)
    q, k, v = theirs.qkv(x).unflatten(-1, (3, 4, 4)).permute(2, 0, 3, 1, 4)
    torch.testing.assert_close(ours(q, k, v).transpose(1, 2).flatten(2), theirs(x), rtol=0, atol=1e-12)
