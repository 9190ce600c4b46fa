import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.models.vit import ViT
from vitlab.nn.pool import cls_mean

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("registers", [0, 2])
def test_it_is_the_first_token_beside_the_mean_of_the_patches(registers, tiny_dims, normal):
    pool, tokens = cls_mean.Spec().build(tiny_dims(num_registers=registers)), normal(2, 7 + registers, 16)
    pooled = pool(tokens)
    assert torch.equal(pooled[:, :16], tokens[:, 0])
    mean = sum(tokens[:, 1 + registers + i] for i in range(6)) / 6
    torch.testing.assert_close(pooled[:, 16:], mean, rtol=0, atol=1e-14)


@pytest.mark.parametrize("head", ["linear", "mlp", "cosine"])
@pytest.mark.parametrize("final_norm", ["before_pool", "after_pool"])
def test_every_head_reads_all_of_it(head, final_norm, tiny_spec, normal, randomise):
    model = randomise(ViT(tiny_spec(pool="cls_mean", head=head, final_norm=final_norm)))
    images = normal(2, 3, 8, 12)
    read = model.representation(images)
    assert read.shape == (2, 32)
    torch.testing.assert_close(model(images), model.head(read), rtol=0, atol=1e-12)


def test_without_a_head_it_is_what_the_model_gives(tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec(pool="cls_mean", num_classes=0))), normal(2, 3, 8, 12)
    assert torch.equal(model(images), model.representation(images))


def test_a_distillation_token_is_refused(tiny_spec):
    with pytest.raises(SpecError, match="dist_token=True has one token for its head, and pool=cls_mean more"):
        tiny_spec(pool="cls_mean", dist_token=True)
