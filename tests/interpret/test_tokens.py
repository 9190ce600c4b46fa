import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.interpret.tokens import patch_colours, token_norms
from vitlab.models.vit import ViT

pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def model(tiny_spec, randomise):
    return randomise(ViT(tiny_spec(num_registers=2)))


def test_norms_are_lengths_of_all_tokens_at_every_depth(model, normal):
    images = normal(2, 3, 8, 12)
    norms = token_norms(model, images)
    assert norms.shape == (3, 2, 9)
    tokens = model.embed(model.patches(images).patches).detach()
    torch.testing.assert_close(norms[0], tokens.square().sum(-1).sqrt(), rtol=0, atol=1e-12)


def test_a_token_that_is_made_large_is_seen(model, normal):
    model.reg_token.data[0, 1] = 1e3
    norms = token_norms(model, normal(2, 3, 8, 12))
    assert (norms[0].argmax(-1) == 2).all()  # cls, then the registers


def test_patches_that_are_alike_have_one_colour_in_all_images(model):
    model.pos_embed.weight.data.zero_()
    images = torch.zeros(2, 3, 8, 12)
    images[:, :, :, 8:] = 3.0  # the last column of patches
    colours = patch_colours(model, images, layer=0)
    assert colours.shape == (2, 2, 3, 3)
    torch.testing.assert_close(colours[0], colours[1])
    torch.testing.assert_close(colours[0, 0, 0], colours[0, 1, 1], rtol=0, atol=1e-6)
    assert not colours[..., 1:].any()  # they differ in one direction alone
    assert (colours[0, 0, 0] - colours[0, 0, 2]).abs().max() > 0.9
    assert (colours.min(), colours.max()) == (0, 1)


def test_a_layer_that_is_not_there(model, normal):
    with pytest.raises(SpecError, match="layer=2: the model has 2 blocks"):
        patch_colours(model, normal(1, 3, 8, 12), layer=2)
