"""Attention maps come back whatever the kernel, and are what the forward pass used."""

import subprocess
import sys
from math import log

import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.base.spec import component_names
from vitlab.interpret.attention import attention_distance, attention_entropy, attention_maps
from vitlab.interpret.grid import grid_of
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


def test_some_layers_heads_and_queries_are_those_of_all(tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec())), normal(5, 3, 8, 12)
    every = attention_maps(model, images)
    some = attention_maps(model, images, layers=[-1], heads=[1], queries=[0, -1])
    assert torch.equal(some, every[1:, :, 1:, [0, 6]])


@pytest.mark.parametrize("registers", [0, 2])
def test_the_distance_of_uniform_attention_is_the_mean_over_all_pairs(registers, tiny_spec, normal):
    """Of rows r and columns c: the mean of |p - q| over all pairs of patches, 4 pixels apart."""
    model = ViT(tiny_spec(num_registers=registers))
    for block in model.blocks:
        block.attn.qkv.weight.data.zero_()
    found = attention_distance(model, normal(2, 3, 8, 12))
    places = [(4 * row, 4 * column) for row in range(2) for column in range(3)]
    expected = sum(((a - c) ** 2 + (b - d) ** 2) ** 0.5 for a, b in places for c, d in places) / 36
    assert found.shape == (2, 2, 2)
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=0, atol=1e-12)


def test_the_entropy_of_uniform_attention_is_log_n_and_of_one_token_nothing(tiny_spec, normal):
    model, images = ViT(tiny_spec()), normal(2, 3, 8, 12)
    for block in model.blocks:
        block.attn.qkv.weight.data.zero_()
    uniform = attention_entropy(model, images)
    torch.testing.assert_close(uniform, torch.full_like(uniform, log(7)), rtol=0, atol=1e-12)
    model = ViT(tiny_spec(attention={"name": "softmax", "scale": 1e6}))
    for block in model.blocks:
        torch.nn.init.normal_(block.attn.qkv.weight)
    assert attention_entropy(model, images).max() < 1e-3


def test_a_model_wired_to_copy_one_patch_attends_there(tiny_spec, normal):
    """Keys that only the position of patch (1, 2) has, and queries that ask for them alone."""
    model = ViT(tiny_spec(depth=1, num_heads=1, norm={"name": "rms"}))
    wanted = grid_of(model).token(1, 2)
    with torch.no_grad():
        model.patch_embed.proj.weight.zero_()
        model.cls_token.zero_()
        model.pos_embed.weight.zero_()
        model.pos_embed.weight[0, :, 0] = 1.0
        model.pos_embed.weight[0, wanted, 1] = 10.0
        width = model.spec.embed_dim
        q, k = model.blocks[0].attn.qkv.weight[:width], model.blocks[0].attn.qkv.weight[width : 2 * width]
        q.zero_()
        k.zero_()
        q[0, 0] = k[0, 1] = 10.0
    maps = attention_maps(model, normal(2, 3, 8, 12))
    others = [token for token in range(7) if token != wanted]
    assert (maps[0, :, 0, others, wanted] > 0.99).all()


@pytest.mark.parametrize("measure", [attention_distance, attention_entropy])
def test_what_is_no_share_has_neither(measure, tiny_spec, normal):
    with pytest.raises(UserError, match="attention=sigmoid has weights that do not sum to one"):
        measure(ViT(tiny_spec(attention="sigmoid")), normal(1, 3, 8, 12))


@pytest.mark.slow
def test_a_large_picture_takes_little_more_than_its_maps():
    """B/16 at 512 pixels, 16 images, one layer: what is returned are 0.8 GB, and all together stays below 2. (Of its
    twelve blocks two are enough: the others come and go.)
    """
    script = (
        "import resource, torch, vitlab\n"
        "from vitlab.interpret.attention import attention_maps\n"
        "model = vitlab.create('vit_base_patch16_224', img_size=512, depth=2)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "maps = attention_maps(model, torch.zeros(16, 3, 512, 512), layers=[1])\n"
        "print(maps.shape[1], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    images, used = map(int, done.stdout.split())
    assert images == 16
    assert used < 2e9
