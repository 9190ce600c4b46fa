from math import exp, log

import pytest
import torch

from vitlab.nn.attention import cosine

pytestmark = pytest.mark.usefixtures("double")


def attention_at(dims, *logit_scales):
    """One with these values of log(1/τ), head by head."""
    attention = cosine.Spec().build(dims)
    with torch.no_grad():
        attention.logit_scale.copy_(torch.tensor(logit_scales)[:, None, None])
    return attention


def test_weights_are_the_paper_s_equation(tiny_dims, normal):
    attention = attention_at(tiny_dims(), 0.7, 6.0)
    q, k, bias = normal(1, 2, 3, 8), normal(1, 2, 3, 8), normal(2, 3, 3)
    weights = attention.weights(q, k, bias)
    for head, inverse_tau in enumerate((exp(0.7), 100.0)):  # exp(6) is beyond the cap
        for i in range(3):
            cosines = [torch.cosine_similarity(q[0, head, i], k[0, head, j], dim=0).item() for j in range(3)]
            logits = [inverse_tau * value + bias[head, i, j].item() for j, value in enumerate(cosines)]
            masses = [exp(logit - max(logits)) for logit in logits]
            expected = [mass / sum(masses) for mass in masses]
            assert weights[0, head, i].tolist() == pytest.approx(expected, abs=1e-13)


def test_it_begins_at_ten(tiny_dims):
    attention = cosine.Spec().build(tiny_dims())
    torch.testing.assert_close(attention.logit_scale, torch.full((2, 1, 1), log(10)), rtol=0, atol=1e-15)
    assert attention.kernel == "fused"


def test_lengths_do_not_matter(tiny_dims, normal):
    attention, q, k = cosine.Spec().build(tiny_dims()), normal(1, 2, 7, 8), normal(1, 2, 7, 8)
    lengths = normal(1, 2, 7, 1).exp()
    torch.testing.assert_close(attention.weights(lengths * q, 100 * k), attention.weights(q, k), rtol=0, atol=1e-13)


@pytest.mark.parametrize("kernel", ["fused", "explicit"])
def test_a_token_of_zeros_looks_everywhere_alike(kernel, tiny_dims, normal):
    attention, nothing = cosine.Spec().build(tiny_dims()), torch.zeros(1, 2, 7, 8)
    attention.kernel = kernel
    v = normal(1, 2, 7, 8)
    y = attention(nothing, normal(1, 2, 7, 8), v)
    torch.testing.assert_close(y, v.mean(2, keepdim=True).expand_as(v), rtol=0, atol=1e-14)


@pytest.mark.peer
def test_it_is_timms_window_attention_of_swin_v2(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.swin_transformer_v2")
    theirs = randomise(timm.WindowAttention(16, (2, 3), 2)).eval()
    with torch.no_grad():
        theirs.logit_scale.copy_(torch.tensor([1.5, 5.0])[:, None, None])
        theirs.cpb_mlp[2].weight.zero_()  # then its own bias is one number for all pairs, which the softmax ignores
        theirs.proj.weight.copy_(torch.eye(16))
        theirs.proj.bias.zero_()
    x = normal(3, 6, 16)
    bias = torch.cat([theirs.q_bias, theirs.k_bias, theirs.v_bias])
    q, k, v = (theirs.qkv(x) + bias).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
    ours = attention_at(tiny_dims(), 1.5, 5.0)(q, k, v).transpose(1, 2).flatten(2)
    torch.testing.assert_close(ours, theirs(x), rtol=0, atol=1e-12)
