from math import exp

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.nn.attention import linear

pytestmark = pytest.mark.usefixtures("double")


def phi(x):
    return x + 1 if x > 0 else exp(x)


@pytest.mark.parametrize("eps", [1e-6, 0.5])
def test_it_is_the_written_equation_over_i_and_j(eps, tiny_dims, normal):
    attention = linear.Spec(eps=eps).build(tiny_dims())
    q, k, v = (normal(1, 1, 4, 8) for _ in range(3))
    y = attention(q, k, v)[0, 0]
    for i in range(4):
        similar = [
            sum(phi(a) * phi(b) for a, b in zip(q[0, 0, i].tolist(), k[0, 0, j].tolist(), strict=True))
            for j in range(4)
        ]
        expected = sum(similar[j] * v[0, 0, j] for j in range(4)) / (sum(similar) + eps)
        torch.testing.assert_close(y[i], expected, rtol=0, atol=1e-13)


def test_it_stays_finite_where_every_feature_vanishes(tiny_dims):
    far = torch.full((1, 1, 4, 8), -1000.0)
    attention = linear.Spec().build(tiny_dims())
    assert torch.equal(attention(far, far, torch.ones(1, 1, 4, 8)), torch.zeros(1, 1, 4, 8))


def test_a_negative_eps_is_refused():
    with pytest.raises(SpecError, match=r"attention\.eps=-1: must be positive"):
        linear.Spec(eps=-1)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore:distutils Version classes are deprecated:DeprecationWarning")
def test_it_is_performer_pytorch_s_linear_attention_of_the_same_features(tiny_dims, normal):
    package = pytest.importorskip("performer_pytorch.performer_pytorch")
    q, k, v = (normal(3, 2, 7, 8) for _ in range(3))
    theirs = package.linear_attention(torch.nn.functional.elu(q) + 1, torch.nn.functional.elu(k) + 1, v)
    torch.testing.assert_close(linear.Spec(eps=1e-300).build(tiny_dims())(q, k, v), theirs, rtol=0, atol=1e-12)
