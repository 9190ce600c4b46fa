from math import exp

import pytest
import torch
from torch import nn

from vitlab.base.spec import from_dict
from vitlab.models.presets import settings
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.nn.attention import lsa

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("biased", [False, True])
def test_weights_are_the_paper_s_equations(biased, tiny_dims, normal, randomise):
    attention = randomise(lsa.Spec().build(tiny_dims()))
    q, k, bias = normal(1, 2, 4, 8), normal(1, 2, 4, 8), normal(2, 4, 4) if biased else None
    weights = attention.weights(q, k, bias)[0]
    for h in range(2):
        factor = attention.scale[h].item()
        for i in range(4):
            logits = [factor * torch.dot(q[0, h, i], k[0, h, j]).item() for j in range(4)]
            masses = [exp(z + (bias[h, i, j].item() if biased else 0)) for j, z in enumerate(logits)]
            masses[i] = 0.0
            assert weights[h, i].tolist() == pytest.approx([mass / sum(masses) for mass in masses], abs=1e-14)


@pytest.mark.parametrize("kernel", ["explicit", "fused"])
@pytest.mark.parametrize("shape", [None, (2, 5, 5), (3, 2, 5, 5)], ids=str)
def test_gradients_are_those_of_the_definition(shape, kernel, tiny_dims, normal, randomise):
    attention = randomise(lsa.Spec().build(tiny_dims()))
    attention.kernel = kernel
    q, k, v = (normal(3, 2, 5, 8).requires_grad_() for _ in range(3))
    bias, upstream = None if shape is None else normal(*shape).requires_grad_(), normal(3, 2, 5, 8)
    leaves = [leaf for leaf in (q, k, v, attention.scale, bias) if leaf is not None]
    fast = torch.autograd.grad(attention(q, k, v, bias), leaves, upstream)
    plain = torch.autograd.grad(attention.weights(q, k, bias) @ v, leaves, upstream)
    for ours, theirs in zip(fast, plain, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_it_starts_as_softmax_attention_without_the_diagonal(tiny_dims):
    assert lsa.Spec().build(tiny_dims()).scale.tolist() == [8**-0.5, 8**-0.5]


def test_of_two_tokens_each_takes_the_other(tiny_dims, normal):
    q, k, v = (normal(3, 2, 2, 8) for _ in range(3))
    assert torch.equal(lsa.Spec().build(tiny_dims())(q, k, v), v.flip(-2))


@pytest.mark.parametrize(("classes", "expected"), [(10, 2_692_534), (100, 2_709_904)])
def test_r0_s_model_with_it_has_the_published_number_of_parameters(classes, expected):
    spec = from_dict(ViTSpec, settings("r0_vit") | {"attention": "lsa", "num_classes": classes})
    with torch.device("meta"):
        model = ViT(spec)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


@pytest.mark.peer
def test_it_is_vit_pytorch_s_with_the_same_temperature(tiny_dims, normal, randomise):
    """There all attention heads share one scale, kept as its logarithm."""
    module = pytest.importorskip("vit_pytorch.vit_for_small_dataset")
    theirs, x = randomise(module.LSA(16, heads=2, dim_head=8)), normal(3, 5, 16)
    theirs.to_out = nn.Identity()
    q, k, v = theirs.to_qkv(theirs.norm(x)).unflatten(-1, (3, 2, 8)).permute(2, 0, 3, 1, 4)
    ours = lsa.Spec().build(tiny_dims())
    nn.init.constant_(ours.scale, theirs.temperature.exp().item())
    torch.testing.assert_close(ours(q, k, v).transpose(1, 2).flatten(2), theirs(x), rtol=0, atol=1e-12)
