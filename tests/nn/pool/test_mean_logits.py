import pytest
import torch

from vitlab.models.vit import ViT
from vitlab.nn.pool import mean_logits

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("registers", [0, 2])
def test_it_is_the_mean_of_what_the_head_says_of_each_patch(registers, tiny_spec, normal, randomise):
    model = randomise(ViT(tiny_spec(pool="mean_logits", head="mlp", num_registers=registers)))
    tokens = normal(2, 7 + registers, 16)
    expected = sum(model.head(tokens[:, 1 + registers + patch]) for patch in range(6)) / 6
    torch.testing.assert_close(model.classify(tokens), expected, rtol=0, atol=1e-12)


def test_as_a_representation_it_is_the_mean_token(tiny_dims, normal):
    pool, tokens = mean_logits.Spec().build(tiny_dims()), normal(2, 7, 16)
    torch.testing.assert_close(pool(tokens), tokens[:, 1:].mean(dim=1), rtol=0, atol=1e-14)


def both(tiny_spec, normal, randomise, **settings):
    """Logits of mean_logits and of mean, with the same weights."""
    models = [randomise(ViT(tiny_spec(pool=pool, **settings))) for pool in ("mean_logits", "mean")]
    images = normal(2, 3, 8, 12)
    return [model(images) for model in models]


@pytest.mark.parametrize("final_norm", ["before_pool", "none"])
def test_with_a_linear_head_and_no_norm_after_it_equals_mean(final_norm, tiny_spec, normal, randomise):
    per_token, pooled = both(tiny_spec, normal, randomise, head="linear", final_norm=final_norm)
    torch.testing.assert_close(per_token, pooled, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "settings", [{"head": "mlp"}, {"head": "cosine"}, {"head": "linear", "final_norm": "after_pool"}], ids=str
)
def test_with_what_bends_after_the_pooling_it_does_not(settings, tiny_spec, normal, randomise):
    per_token, pooled = both(tiny_spec, normal, randomise, **settings)
    assert (per_token - pooled).abs().max() > 1e-3
