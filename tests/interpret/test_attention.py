"""Attention maps come back whatever the kernel, and are what the forward pass used."""

import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.base.spec import component_names
from vitlab.interpret.attention import attention_maps
from vitlab.models.vit import ViT
from vitlab.nn.kernel import use_kernel

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("kernel", ["fused", "explicit"])
def test_the_maps_of_softmax_attention_are_those_of_the_written_equation(kernel, tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec(num_registers=1))), normal(3, 3, 8, 12)
    use_kernel(model, kernel)
    maps = attention_maps(model, images)
    assert maps.shape == (2, 3, 2, 8, 8)
    tokens = model.embed(model.patches(images).patches)
    for block, found in zip(model.blocks, maps, strict=True):
        qkv = block.attn.qkv(block.norm1(tokens)).reshape(3, 8, 3, 2, 8)
        q, k = qkv[:, :, 0].transpose(1, 2), qkv[:, :, 1].transpose(1, 2)
        torch.testing.assert_close(found, (q @ k.mT / 8**0.5).softmax(-1), rtol=0, atol=1e-12)
        tokens = block(tokens, model.pos_embed.layer(0))


@pytest.mark.parametrize("name", component_names("vitlab.nn.attention"))
def test_every_mechanism_has_maps_and_they_mix_the_values_as_the_model_does(name, tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec(attention=name))), normal(2, 3, 8, 12)
    maps = attention_maps(model, images)
    tokens = model.embed(model.patches(images).patches)
    mixer, x = model.blocks[0].attn, model.blocks[0].norm1(tokens)
    _, _, v = mixer.queries_keys_values(x, model.pos_embed.layer(0))
    mixed = mixer.proj((maps[0] @ v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(mixed, mixer(x, model.pos_embed.layer(0)), rtol=0, atol=1e-11)


def test_positions_show_in_the_maps(tiny_spec, normal, randomise):
    images = normal(2, 3, 8, 12)
    model = randomise(ViT(tiny_spec(pos_embed="relative_bias")))
    before = attention_maps(model, images)
    for table in model.pos_embed.tables:
        table.weight.data[0] += 5.0  # patch (0, 0) looks at patch (1, 2), which no other pair's offset equals
    after = attention_maps(model, images)
    assert (after[..., 1, 6] > before[..., 1, 6])[0].all()


def test_a_mixer_without_attention_is_told_by_name(tiny_spec, normal):
    with pytest.raises(UserError, match="mixer=identity has no attention"):
        attention_maps(ViT(tiny_spec(mixer="identity")), normal(1, 3, 8, 12))


def test_the_model_is_left_as_it_was(tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec())), normal(1, 3, 8, 12)
    before = model(images)
    attention_maps(model, images)
    assert torch.equal(model(images), before)
    assert not any(block.attn._forward_pre_hooks for block in model.blocks)
