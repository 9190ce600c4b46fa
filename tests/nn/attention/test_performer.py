"""FAVOR+: its equation, what its random features are, that they approximate softmax attention, and whose they are."""

from dataclasses import replace
from math import exp, sqrt

import numpy as np
import pytest
import torch
from scipy import stats
from torch.func import vmap
from torch.utils.flop_counter import FlopCounterMode

from vitlab.base.errors import SpecError
from vitlab.nn.attention import performer, softmax
from vitlab.nn.attention._features import feature_weights
from vitlab.rng import sample_keys

pytestmark = pytest.mark.usefixtures("double")


def keys_of(count, seed=0):
    return sample_keys(torch.tensor([seed]), torch.arange(count))[0]


# ------------------------------------------------------------------------------------------------------- the equation


@pytest.mark.parametrize("eps", [1e-300, 1e-4, 0.3])
def test_it_is_the_written_equation(eps, tiny_dims, normal):
    attention = performer.Spec(features=5, eps=eps).build(tiny_dims())
    q, k, v = (normal(1, 2, 4, 8) for _ in range(3))
    y = attention(q, k, v)
    for h in range(2):
        rows = attention.omega[h]

        def projected(x, rows=rows):
            return [torch.dot(row, x).item() / 8**0.25 for row in rows]

        def phi(x, top, rows=rows):
            half = torch.dot(x, x).item() / (2 * sqrt(8))
            return [(exp(z - half - top) + eps) / sqrt(5) for z in projected(x, rows)]

        top_k = max(max(projected(k[0, h, j])) for j in range(4))
        phi_k = [phi(k[0, h, j], top_k) for j in range(4)]
        for i in range(4):
            phi_q = phi(q[0, h, i], max(projected(q[0, h, i])))
            masses = [sum(a * b for a, b in zip(phi_q, phi_k[j], strict=True)) for j in range(4)]
            expected = sum(mass / sum(masses) * v[0, h, j] for j, mass in enumerate(masses))
            torch.testing.assert_close(y[0, h, i], expected, rtol=0, atol=1e-12)


def test_without_eps_the_stabiliser_cancels(tiny_dims, normal):
    attention = performer.Spec(eps=1e-300).build(tiny_dims())
    q, k = normal(3, 2, 7, 8), normal(3, 2, 7, 8)
    phi_q, phi_k = (plain_features(x, attention.omega) for x in (q, k))
    similarity = phi_q @ phi_k.transpose(-2, -1)
    expected = similarity / similarity.sum(-1, keepdim=True)
    torch.testing.assert_close(attention.weights(q, k), expected, rtol=0, atol=1e-13)


def plain_features(x, omega):
    """exp(ω x' - |x'|²/2), without a stabiliser"""
    x = x * x.shape[-1] ** -0.25
    return (x @ omega.transpose(-2, -1) - x.square().sum(-1, keepdim=True) / 2).exp()


def test_it_stays_finite_where_exp_would_overflow(tiny_dims, normal):
    q, k, v = 300 * normal(3, 2, 7, 8), 300 * normal(3, 2, 7, 8), normal(3, 2, 7, 8)
    attention = performer.Spec().build(tiny_dims())
    leaves = [leaf.requires_grad_() for leaf in (q, k, v)]
    y = attention(*leaves)
    assert y.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in torch.autograd.grad(y.sum(), leaves))


def test_its_work_is_linear_in_tokens(tiny_dims, normal):
    attention = performer.Spec().build(tiny_dims())

    def flops(tokens: int) -> int:
        with FlopCounterMode(display=False) as counter:
            attention(*(normal(1, 2, tokens, 8) for _ in range(3)))
        return counter.get_total_flops()

    assert flops(128) == 2 * flops(64) > 0


@pytest.mark.parametrize(("width", "features"), [(2, 2), (8, 16), (16, 44), (64, 266)])
def test_so_many_features_unless_told_otherwise(width, features, tiny_dims):
    assert performer.Spec().build(tiny_dims(head_dim=width)).omega.shape == (2, features, width)


def test_what_cannot_be_is_refused():
    with pytest.raises(SpecError, match=r"attention\.features=0: must be from 1 to 65,536"):
        performer.Spec(features=0)
    with pytest.raises(SpecError, match=r"attention\.eps=-1: must be positive"):
        performer.Spec(eps=-1)


# ------------------------------------------------------------------------------------------------------- the features


@pytest.mark.parametrize("orthogonal", [True, False])
@pytest.mark.parametrize("entry", [(0, 0), (7, 7), (3, 5), (8, 0), (19, 2)], ids=str)
def test_every_number_of_a_feature_is_standard_normal(entry, orthogonal, tiny_dims):
    """Row 0 and 7 of the first block, and rows of the others; without signs of its own QR would not pass."""
    attention = performer.Spec(features=20, orthogonal=orthogonal).build(tiny_dims())
    drawn = attention.draw(keys_of(4000), torch.float64)[:, 0, entry[0], entry[1]]
    assert stats.kstest(drawn.numpy(), "norm").pvalue > 0.001


@pytest.mark.parametrize("orthogonal", [True, False])
def test_lengths_are_those_of_independent_gaussian_vectors(orthogonal, tiny_dims):
    attention = performer.Spec(features=20, orthogonal=orthogonal).build(tiny_dims())
    lengths = attention.draw(keys_of(4000), torch.float64)[:, 0].norm(dim=-1)  # [4000, F]
    assert stats.kstest(lengths[:, 1].numpy(), stats.chi(8).cdf).pvalue > 0.001
    correlations = np.corrcoef(lengths.T.numpy()) - np.eye(20)
    assert np.abs(correlations).max() < 5 / sqrt(4000)


def test_blocks_of_features_are_orthogonal(tiny_dims):
    attention = performer.Spec(features=20).build(tiny_dims())
    for rows in (attention.omega, attention.draw(keys_of(3), torch.float64)):
        directions = rows / rows.norm(dim=-1, keepdim=True)
        for block in directions.split(8, dim=-2):  # 8, 8 and 4
            gram = block @ block.transpose(-2, -1)
            torch.testing.assert_close(gram, torch.eye(gram.shape[-1]).expand_as(gram), rtol=0, atol=1e-13)
    across = directions[..., :8, :] @ directions[..., 8:16, :].transpose(-2, -1)
    assert across.abs().max() > 0.5


def short(normal, tokens):
    """Queries and keys [1, H, N, K] short enough for averages to settle: the variance of FAVOR+ grows with
    exp(|q' + k'|²), its lemma 2."""
    return normal(1, 2, tokens, 8) / 4, normal(1, 2, tokens, 8) / 4


@pytest.mark.parametrize("orthogonal", [True, False])
def test_products_of_features_are_softmax_s_kernel_on_average(orthogonal, tiny_dims, normal):
    attention = performer.Spec(features=16, orthogonal=orthogonal).build(tiny_dims())
    q, k = short(normal, 3)
    omega = attention.draw(keys_of(10_000), torch.float64)
    estimates = plain_features(q, omega) @ plain_features(k, omega).transpose(-2, -1) / 16  # [draws, H, 3, 3]
    exact = (q @ k.transpose(-2, -1) / sqrt(8)).exp()[0]
    standard_error = estimates.std(0) / sqrt(len(estimates))
    assert (standard_error < 0.02 * exact).all()
    assert ((estimates.mean(0) - exact).abs() < 4 * standard_error).all()


def error(tiny_dims, q, k, features, orthogonal):
    """The root mean square distance from softmax's weights, over many draws of the features."""
    attention = performer.Spec(features=features, orthogonal=orthogonal, eps=1e-300).build(tiny_dims())
    approximate = feature_weights(*attention._features(q, k, attention.draw(keys_of(300), torch.float64)))
    exact = softmax.Spec().build(tiny_dims()).weights(q, k)
    return (approximate - exact).square().mean().sqrt().item()


@pytest.mark.slow
@pytest.mark.parametrize("orthogonal", [True, False])
def test_the_error_falls_with_the_root_of_the_number_of_features(orthogonal, tiny_dims, normal):
    q, k = short(normal, 5)
    counts = [16, 64, 256, 1024]
    errors = [error(tiny_dims, q, k, count, orthogonal) for count in counts]
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.05), errors


@pytest.mark.parametrize("count", [8, 16, 64, 256])
def test_orthogonal_features_are_nearer_than_independent_ones(count, tiny_dims, normal):
    q, k = short(normal, 5)
    near, far = (error(tiny_dims, q, k, count, orthogonal) for orthogonal in (True, False))
    assert near < 0.97 * far


# -------------------------------------------------------------------------------------------------- whose they are


def test_fixed_features_are_the_place_s_alone(tiny_dims):
    dims = tiny_dims()
    omegas = [performer.Spec().build(replace(dims, layer=layer)).omega for layer in (0, 0, 1)]
    assert torch.equal(omegas[0], omegas[1])
    assert not torch.allclose(omegas[0], omegas[2])
    assert not torch.allclose(omegas[0][0], omegas[0][1])  # an attention head's own
    assert dict(performer.Spec().build(dims).state_dict()) == {}


def test_single_precision_has_the_same_features_rounded(tiny_dims):
    double = performer.Spec().build(tiny_dims()).omega
    torch.set_default_dtype(torch.float32)  # the fixture puts it back
    single = performer.Spec().build(tiny_dims()).omega
    assert single.dtype == torch.float32
    assert torch.equal(single, double.float())


def test_half_precision_draws_in_single(tiny_dims, normal):
    attention = performer.Spec(redraw=True).build(tiny_dims())
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    half = attention(*(x.bfloat16() for x in (q, k, v)), None, keys_of(3))
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.double(), attention(q, k, v, None, keys_of(3)), rtol=0, atol=0.05)


def test_redrawn_features_are_a_function_of_the_sample_s_key_alone(tiny_dims, normal):
    attention = performer.Spec(redraw=True).build(tiny_dims())
    q, k, v = (normal(1, 2, 7, 8).expand(4, -1, -1, -1) for _ in range(3))
    keys = keys_of(4)
    together = attention(q, k, v, None, keys)
    assert all(not torch.allclose(together[0], together[i], atol=1e-3) for i in (1, 2, 3))
    micro_batches = torch.cat(
        [attention(q[:1], k[:1], v[:1], None, keys[:1]), attention(q[1:], k[1:], v[1:], None, keys[1:])]
    )
    torch.testing.assert_close(micro_batches, together, rtol=0, atol=1e-13)
    backwards = attention(q, k, v, None, keys.flip(0)).flip(0)
    torch.testing.assert_close(backwards, together, rtol=0, atol=1e-13)


def test_only_redrawing_reads_keys_and_only_with_keys_is_redrawn(tiny_dims, normal):
    fixed, redrawn = (performer.Spec(redraw=redraw).build(tiny_dims()) for redraw in (False, True))
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    assert torch.equal(fixed(q, k, v, None, keys_of(3)), fixed(q, k, v))
    assert torch.equal(redrawn(q, k, v), fixed(q, k, v))
    assert not torch.allclose(redrawn(q, k, v, None, keys_of(3)), fixed(q, k, v), atol=1e-3)


def test_stacked_runs_draw_what_single_ones_draw(tiny_dims, normal):
    attention = performer.Spec(redraw=True).build(tiny_dims())
    q, k, v = (normal(3, 2, 2, 7, 8) for _ in range(3))
    keys = torch.stack([keys_of(2, seed) for seed in range(3)])
    stacked = vmap(lambda *values: attention(*values[:3], None, values[3]))(q, k, v, keys)
    for run in range(3):
        torch.testing.assert_close(stacked[run], attention(q[run], k[run], v[run], None, keys[run]), rtol=0, atol=1e-13)


# ---------------------------------------------------------------------------------------------------------------- peer


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:distutils Version classes are deprecated:DeprecationWarning")
@pytest.mark.parametrize("eps", [1e-300, 1e-4])
def test_it_is_performer_pytorch_s_with_the_same_features(eps, tiny_dims, normal):
    """There one projection serves all attention heads."""
    package = pytest.importorskip("performer_pytorch.performer_pytorch")
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    ours = performer.Spec(features=20, eps=eps).build(tiny_dims())
    ours.omega.copy_(ours.omega[:1].clone().expand(2, -1, -1))
    phi_q, phi_k = (
        package.softmax_kernel(x, projection_matrix=ours.omega[0], is_query=x is q, eps=eps) for x in (q, k)
    )
    for mine, theirs in zip(ours._features(q, k, ours.omega), (phi_q, phi_k), strict=True):
        torch.testing.assert_close(mine / sqrt(20), theirs, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours(q, k, v), package.linear_attention(phi_q, phi_k, v), rtol=0, atol=1e-10)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:distutils Version classes are deprecated:DeprecationWarning")
def test_it_is_performer_pytorch_s_module(tiny_dims, normal):
    package = pytest.importorskip("performer_pytorch.performer_pytorch")
    torch.manual_seed(0)
    theirs, ours = package.FastAttention(8), performer.Spec().build(tiny_dims())
    assert theirs.projection_matrix.shape == ours.omega.shape[1:]
    ours.omega.copy_(theirs.projection_matrix)
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    torch.testing.assert_close(ours(q, k, v), theirs(q, k, v), rtol=0, atol=1e-10)
