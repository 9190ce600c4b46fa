from math import exp, sqrt

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vitlab.base.errors import SpecError
from vitlab.nn.attention import linformer, softmax

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("share_kv", [False, True])
def test_it_is_the_written_equation(share_kv, tiny_dims, normal, randomise):
    dims = tiny_dims()
    attention = randomise(linformer.Spec(rank=3, share_kv=share_kv).build(dims))
    e = attention.proj_k.weight
    f = e if share_kv else attention.proj_v.weight
    q, k, v = (normal(1, 2, dims.num_tokens, 8) for _ in range(3))
    y = attention(q, k, v)
    for h in range(2):
        keys = [sum(e[r, j] * k[0, h, j] for j in range(dims.num_tokens)) for r in range(3)]
        values = [sum(f[r, j] * v[0, h, j] for j in range(dims.num_tokens)) for r in range(3)]
        for i in range(dims.num_tokens):
            masses = [exp(torch.dot(q[0, h, i], key).item() / sqrt(8)) for key in keys]
            expected = sum(mass / sum(masses) * value for mass, value in zip(masses, values, strict=True))
            torch.testing.assert_close(y[0, h, i], expected, rtol=0, atol=1e-12)


def test_as_many_projections_as_tokens_can_be_softmax_attention(tiny_dims, normal):
    dims = tiny_dims()
    attention = linformer.Spec(rank=dims.num_tokens).build(dims)
    nn.init.eye_(attention.proj_k.weight)
    nn.init.eye_(attention.proj_v.weight)
    q, k, v = (normal(3, 2, dims.num_tokens, 8) for _ in range(3))
    torch.testing.assert_close(attention(q, k, v), softmax.Spec().build(dims)(q, k, v), rtol=0, atol=1e-12)


def test_there_are_at_most_as_many_projections_as_tokens(tiny_dims):
    dims = tiny_dims()
    assert linformer.Spec(rank=1000).build(dims).proj_k.weight.shape == (dims.num_tokens, dims.num_tokens)
    assert linformer.Spec(rank=3).build(dims).proj_v.weight.shape == (3, dims.num_tokens)


@pytest.mark.parametrize(("share_kv", "matrices"), [(False, 2), (True, 1)])
def test_sharing_leaves_one_matrix(share_kv, matrices, tiny_dims):
    assert len(list(linformer.Spec(share_kv=share_kv).build(tiny_dims()).parameters())) == matrices


def test_its_work_is_linear_in_tokens(tiny_dims, normal):
    def flops(rows: int) -> int:
        dims = tiny_dims(img_size=[4 * rows, 8], cls_token=False, pool="mean")
        attention = linformer.Spec(rank=4).build(dims)
        attention.kernel = "explicit"
        with FlopCounterMode(display=False) as counter:
            attention(*(normal(1, 2, dims.num_tokens, 8) for _ in range(3)))
        return counter.get_total_flops()

    assert flops(32) == 2 * flops(16) > 0


def test_no_projection_at_all_is_refused():
    with pytest.raises(SpecError, match=r"attention\.rank=0: must be at least 1"):
        linformer.Spec(rank=0)


@pytest.mark.peer
@pytest.mark.parametrize("share_kv", [False, True])
def test_it_is_the_linformer_package_s_with_the_same_weights(share_kv, tiny_dims, normal, randomise):
    """There `share_kv` also makes the values the keys."""
    package = pytest.importorskip("linformer")
    dims = tiny_dims()
    theirs = randomise(package.LinformerSelfAttention(16, dims.num_tokens, k=3, heads=2, share_kv=share_kv))
    theirs.to_out = nn.Identity()
    ours, x = linformer.Spec(rank=3, share_kv=share_kv).build(dims), normal(4, dims.num_tokens, 16)
    projections = {"proj_k.weight": theirs.proj_k.T}
    if not share_kv:
        projections["proj_v.weight"] = theirs.proj_v.T
    ours.load_state_dict(projections)
    layers = (theirs.to_q, theirs.to_k, theirs.to_k if share_kv else theirs.to_v)
    q, k, v = (layer(x).unflatten(-1, (2, 8)).transpose(1, 2) for layer in layers)
    torch.testing.assert_close(ours(q, k, v).transpose(1, 2).flatten(2), theirs(x), rtol=0, atol=1e-12)
