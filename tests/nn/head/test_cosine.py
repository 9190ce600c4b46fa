import pytest
import torch
from torch.nn.functional import cosine_similarity

from vitlab.base.errors import SpecError
from vitlab.models.vit import build
from vitlab.nn.head import cosine
from vitlab.nn.kinds import parameter_kinds

pytestmark = pytest.mark.usefixtures("double")


def test_it_is_the_scaled_cosine_of_x_and_each_class(tiny_dims, normal, randomise):
    head, x = randomise(cosine.Spec().build(tiny_dims())), normal(2, 16)
    expected = head.scale * cosine_similarity(x[:, None], head.weight[None], dim=-1)
    torch.testing.assert_close(head(x), expected, rtol=0, atol=1e-12)


def test_lengths_say_nothing_and_the_scale_bounds_the_logits(tiny_dims, normal, randomise):
    head, x = randomise(cosine.Spec().build(tiny_dims())), normal(2, 16)
    once = head(x)
    head.weight.data.mul_(7.0)
    torch.testing.assert_close(head(3 * x), once, rtol=0, atol=1e-12)
    head.scale.data.fill_(2.5)
    assert head(head.weight)[range(5), range(5)].tolist() == pytest.approx([2.5] * 5, abs=1e-12)


@pytest.mark.parametrize("scale", [10.0, 30.0])
def test_the_scale_starts_where_it_is_told_and_the_directions_are_drawn(scale, tiny_spec):
    head = build(tiny_spec(head={"name": "cosine", "scale": scale})).head
    assert head.scale.tolist() == [scale]
    assert head.weight.std() > 0.01
    assert parameter_kinds(head) == {"weight": "kernel", "scale": "scale"}


def test_a_scale_that_is_not_positive_is_refused():
    with pytest.raises(SpecError, match=r"head\.scale=0: must be positive"):
        cosine.Spec(scale=0)
