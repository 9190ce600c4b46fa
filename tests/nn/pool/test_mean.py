import pytest
import torch

from vitlab.nn.pool import mean

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize(("registers", "prefix"), [(0, 1), (2, 3)])
def test_prefix_tokens_are_left_out(registers, prefix, tiny_dims, normal):
    pool, tokens = mean.Spec().build(tiny_dims(num_registers=registers)), normal(2, 6 + prefix, 16)
    expected = sum(tokens[:, prefix + i] for i in range(6)) / 6
    torch.testing.assert_close(pool(tokens), expected, rtol=0, atol=1e-14)


def test_with_a_linear_head_it_is_the_mean_of_the_tokens_logits(tiny_spec, normal, randomise):
    from vitlab.models.vit import ViT

    spec = tiny_spec(cls_token=False, pool="mean", final_norm="none", pos_embed="sincos2d")
    model, images = randomise(ViT(spec)), normal(2, 3, 8, 12)
    per_token = model.head(model.forward_features(images))
    torch.testing.assert_close(model(images), per_token.mean(dim=1), rtol=1e-12, atol=1e-12)


def test_with_prefix_all_tokens_count(tiny_dims, normal):
    pool, tokens = mean.Spec(prefix=True).build(tiny_dims(num_registers=2)), normal(2, 9, 16)
    torch.testing.assert_close(pool(tokens), sum(tokens.unbind(1)) / 9, rtol=0, atol=1e-14)
