from itertools import pairwise
from math import sqrt

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from vitlab.base.errors import SpecError
from vitlab.nn.attention import nystrom, softmax

pytestmark = pytest.mark.usefixtures("double")


def mechanism(landmarks, tiny_dims, iterations=6, tokens=None):
    """Over so many tokens in two columns; the tiny model's seven unless told otherwise."""
    sizes = {} if tokens is None else {"img_size": [2 * tokens, 8], "cls_token": False, "pool": "mean"}
    return nystrom.Spec(landmarks=landmarks, iterations=iterations).build(tiny_dims(**sizes))


@pytest.mark.parametrize("landmarks", [1, 3, 7])
def test_it_is_the_written_equation(landmarks, tiny_dims, normal):
    q, k, v = (normal(1, 2, 7, 8) for _ in range(3))
    y = mechanism(landmarks, tiny_dims)(q, k, v)
    segments = {1: [range(7)], 3: [range(3), range(3, 5), range(5, 7)], 7: [range(i, i + 1) for i in range(7)]}
    for h in range(2):
        q_marks, k_marks = (
            torch.stack([sum(x[0, h, i] for i in segment) / len(segment) for segment in segments[landmarks]])
            for x in (q, k)
        )
        first, a, last = (
            (left @ right.T / sqrt(8)).exp() / (left @ right.T / sqrt(8)).exp().sum(1, keepdim=True)
            for left, right in ((q[0, h], k_marks), (q_marks, k_marks), (q_marks, k[0, h]))
        )
        z, one = a.T / (torch.linalg.norm(a, 1) * torch.linalg.norm(a, torch.inf)), torch.eye(landmarks)
        for _ in range(6):
            z = z @ (13 * one - a @ z @ (15 * one - a @ z @ (7 * one - a @ z))) / 4
        torch.testing.assert_close(y[0, h], first @ z @ last @ v[0, h], rtol=0, atol=1e-12)


def test_the_iteration_comes_to_the_pseudo_inverse(normal):
    matrices = normal(3, 2, 6, 6).softmax(-1)
    inverse = nystrom.pseudo_inverse(matrices, iterations=30)
    torch.testing.assert_close(inverse, torch.linalg.pinv(matrices), rtol=0, atol=1e-9)


def test_a_landmark_for_every_token_is_softmax_attention(tiny_dims, normal):
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    exact = softmax.Spec().build(tiny_dims())(q, k, v)
    torch.testing.assert_close(mechanism(7, tiny_dims, iterations=30)(q, k, v), exact, rtol=0, atol=1e-10)
    assert not torch.allclose(mechanism(6, tiny_dims, iterations=30)(q, k, v), exact, rtol=0, atol=1e-3)


def test_more_landmarks_than_tokens_are_as_many(tiny_dims, normal):
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    assert torch.equal(mechanism(1000, tiny_dims)(q, k, v), mechanism(7, tiny_dims)(q, k, v))


def error(landmarks, iterations, tiny_dims, q, k):
    """The mean distance from softmax's weights, row by row."""
    approximate = mechanism(landmarks, tiny_dims, iterations, tokens=64)
    return (approximate.weights(q, k) - softmax.Spec().build(tiny_dims()).weights(q, k)).norm(dim=-1).mean().item()


def test_on_smooth_tokens_a_few_landmarks_suffice(tiny_dims, normal):
    """Tokens that hardly change within a segment are their landmarks: halving the segments halves the distance."""
    time = torch.linspace(0, 1, 64)[:, None] * torch.arange(3)
    waves = torch.cat([time.cos(), time.sin()], dim=1)  # [N, 6]
    q, k = waves @ normal(20, 2, 6, 8), waves @ normal(20, 2, 6, 8)
    errors = [error(landmarks, 40, tiny_dims, q, k) for landmarks in (2, 4, 8)]
    assert all(finer < coarser / 2 for coarser, finer in pairwise(errors)), errors


def test_on_random_tokens_more_landmarks_are_nearer(tiny_dims, normal):
    q, k = normal(20, 2, 64, 8), normal(20, 2, 64, 8)
    errors = [error(landmarks, 6, tiny_dims, q, k) for landmarks in (2, 4, 8, 16, 32, 48, 64)]
    assert all(finer < coarser for coarser, finer in pairwise(errors)), errors
    assert errors[-1] < 0.1 * errors[0]


def test_few_iterations_guard_against_an_inverse_that_hardly_exists(tiny_dims, normal):
    """What the docstring says of `iterations`: with fewer landmarks than tokens the exact inverse may be the worse."""
    q, k = normal(20, 2, 64, 8), normal(20, 2, 64, 8)
    assert error(16, 6, tiny_dims, q, k) < error(16, 40, tiny_dims, q, k) / 5
    assert error(64, 6, tiny_dims, q, k) > 1e3 * error(64, 40, tiny_dims, q, k)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7])
def test_segments_cover_all_tokens_and_differ_in_length_by_one_at_most(count):
    shares = nystrom.segment_means(torch.eye(7)[None, None], count)[0, 0]  # [count, N]: each token's share
    lengths = (shares > 0).sum(1)
    assert lengths.max() - lengths.min() <= 1
    assert torch.equal((shares > 0).sum(0), torch.ones(7, dtype=torch.int64))
    torch.testing.assert_close(shares.sum(1), torch.ones(count), rtol=0, atol=1e-15)
    assert torch.equal((shares > 0).int().argmax(0), torch.arange(count).repeat_interleave(lengths))  # neighbours


def test_its_work_is_linear_in_tokens(tiny_dims, normal):
    def flops(tokens: int) -> int:
        attention = mechanism(4, tiny_dims, tokens=tokens)
        attention.kernel = "explicit"
        with FlopCounterMode(display=False) as counter:
            attention(*(normal(1, 2, tokens, 8) for _ in range(3)))
        return counter.get_total_flops()

    assert flops(24) - flops(16) == flops(16) - flops(8) > 0


@pytest.mark.parametrize("name", ["landmarks", "iterations"])
def test_none_at_all_is_refused(name):
    with pytest.raises(SpecError, match=rf"attention\.{name}=0: must be at least 1"):
        nystrom.Spec(**{name: 0})


@pytest.mark.peer
def test_it_is_nystrom_attention_s_for_one_matrix(tiny_dims, normal, randomise):
    """There the iteration starts from the largest norm of the batch, so one image and one attention head are taken."""
    package = pytest.importorskip("nystrom_attention")
    theirs = randomise(package.NystromAttention(8, dim_head=8, heads=1, num_landmarks=4, residual=False))
    theirs.to_out, x = nn.Identity(), normal(1, 16, 8)
    q, k, v = (part[:, None] for part in theirs.to_qkv(x).chunk(3, dim=-1))
    torch.testing.assert_close(mechanism(4, tiny_dims, tokens=16)(q, k, v)[:, 0], theirs(x), rtol=0, atol=1e-10)


@pytest.mark.slow
@pytest.mark.peer
def test_it_is_transformers_for_many(tiny_dims, normal, randomise):
    """With the start that is said there to be the exact one, for each matrix its own."""
    modeling = pytest.importorskip("transformers.models.nystromformer.modeling_nystromformer")
    from transformers import NystromformerConfig

    sizes = {"hidden_size": 16, "num_attention_heads": 2, "segment_means_seq_len": 16, "num_landmarks": 4}
    theirs = randomise(modeling.NystromformerSelfAttention(NystromformerConfig(**sizes))).eval()
    theirs.init_option, theirs.conv_kernel_size, x = "exact", None, normal(3, 16, 16)
    q, k, v = (part(x).unflatten(-1, (2, 8)).transpose(1, 2) for part in (theirs.query, theirs.key, theirs.value))
    ours = mechanism(4, tiny_dims, tokens=16)(q, k, v).transpose(1, 2).flatten(2)
    torch.testing.assert_close(ours, theirs(x)[0], rtol=0, atol=1e-10)
