"""The whole model: its names, its properties, and agreement with other libraries' ViTs in double precision."""

import pytest
import torch
from torch import nn

from vitlab.base.errors import SpecError
from vitlab.base.spec import component_names, with_settings
from vitlab.models.spec import preset
from vitlab.models.vit import ViT, build
from vitlab.nn.stochastic import Dropout, DropPath
from vitlab.rng import sample_keys

# ------------------------------------------------------------------------------------------------------------- golden

BLOCK = (
    "norm1.weight",
    "norm1.bias",
    "attn.qkv.weight",
    "attn.proj.weight",
    "attn.proj.bias",
    "norm2.weight",
    "norm2.bias",
    "mlp.fc1.weight",
    "mlp.fc1.bias",
    "mlp.fc2.weight",
    "mlp.fc2.bias",
)
R0_VIT = [
    "cls_token",
    "patch_embed.proj.weight",
    "patch_embed.proj.bias",
    "pos_embed.weight",
    *(f"blocks.{index}.{name}" for index in range(9) for name in BLOCK),
    "norm.weight",
    "norm.bias",
    "head.weight",
    "head.bias",
]


def test_the_names_in_a_checkpoint_are_these():
    assert list(ViT(preset("r0_vit")).state_dict()) == R0_VIT


# --------------------------------------------------------------------------------------------------------- properties


def shuffled(images, order):
    """The same patches of [B, C, 8, 12] in another order on the grid of 2 by 3."""
    patches = images.unflatten(3, (3, 4)).unflatten(2, (2, 4)).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
    return patches[:, order].unflatten(1, (2, 3)).permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


ORDER = torch.tensor([3, 0, 5, 4, 1, 2])


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("pool", ["cls", "mean"])
@pytest.mark.parametrize("attention", ["softmax", "linear"])
def test_without_positions_the_order_of_the_patches_does_not_matter(attention, pool, tiny_spec, normal, randomise):
    spec = tiny_spec(pos_embed="none", pool=pool, attention=attention, num_registers=1)
    model, images = randomise(ViT(spec)), normal(2, 3, 8, 12)
    tokens, after = model.forward_features(images), model.forward_features(shuffled(images, ORDER))
    torch.testing.assert_close(after[:, 2:], tokens[:, 2:][:, ORDER], rtol=0, atol=1e-11)
    torch.testing.assert_close(after[:, :2], tokens[:, :2], rtol=0, atol=1e-11)
    torch.testing.assert_close(model(shuffled(images, ORDER)), model(images), rtol=0, atol=1e-11)


@pytest.mark.parametrize("pos_embed", ["learned", "sincos2d", "rope2d", "relative_bias"])
def test_with_positions_it_does(pos_embed, tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec(pos_embed=pos_embed))), normal(2, 3, 8, 12)
    assert not torch.allclose(model(shuffled(images, ORDER)), model(images), rtol=0, atol=1e-3)


@pytest.mark.usefixtures("double")
def test_a_sample_does_not_see_its_batch(tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec())), normal(4, 3, 8, 12)
    torch.testing.assert_close(model(images)[1:2], model(images[1:2]), rtol=0, atol=1e-12)


def test_tokens_stand_in_the_order_cls_registers_patches(tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec(num_registers=2, pos_embed="none"))), normal(2, 3, 8, 12)
    tokens = model.embed(model.patches(images).patches)
    assert torch.equal(tokens[:, :1], model.cls_token.expand(2, -1, -1))
    assert torch.equal(tokens[:, 1:3], model.reg_token.expand(2, -1, -1))
    assert torch.equal(tokens[:, 3:], model.patch_embed(images))


@pytest.mark.parametrize(
    ("final_norm", "norm", "fc_norm"),
    [
        ("before_pool", nn.LayerNorm, nn.Identity),
        ("after_pool", nn.Identity, nn.LayerNorm),
        ("none", nn.Identity, nn.Identity),
    ],
)
def test_the_final_norm_stands_where_it_is_told(final_norm, norm, fc_norm, tiny_spec):
    model = ViT(tiny_spec(final_norm=final_norm))
    assert (type(model.norm), type(model.fc_norm)) == (norm, fc_norm)


@pytest.mark.parametrize("shape", [(2, 3, 12, 8), (2, 1, 8, 12), (2, 3, 8, 16), (3, 8)])
def test_images_of_another_size_are_refused_with_both_sizes(shape, tiny_spec):
    with pytest.raises(SpecError, match=r"images of shape .*: this model takes \[batch, 3 x 8 x 12\]"):
        ViT(tiny_spec())(torch.zeros(shape))


def test_a_model_is_a_function_of_its_spec_and_seed(tiny_spec):
    first, again, other = (build(tiny_spec(), seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_without_keys_it_is_deterministic_in_training_mode_too(tiny_spec, normal):
    rates = {"drop_path": 0.5, "embed_dropout": 0.5, "mixer_dropout": 0.5, "mlp_dropout": 0.5}
    model, images = build(tiny_spec(**rates)), normal(2, 3, 8, 12)
    assert torch.equal(model.train()(images), model.eval()(images))


def test_every_place_of_randomness_draws_its_own_numbers(tiny_spec):
    model = ViT(tiny_spec(pool="attention"))
    tags = [module.tag for module in model.modules() if isinstance(module, Dropout | DropPath)]
    assert len(tags) == 1 + 2 * 5 + 2
    assert len(set(tags)) == len(tags)


def test_embedding_dropout_acts_on_the_tokens_with_their_positions(tiny_spec, normal, randomise):
    model, images = randomise(ViT(tiny_spec(embed_dropout=0.5))), normal(4, 3, 8, 12)
    patches = model.patches(images).patches
    dropped, whole = model.embed(patches, sample_keys(torch.tensor([0]), torch.arange(4))[0]), model.embed(patches)
    kept = dropped != 0
    assert 0.4 < kept.float().mean() < 0.6
    assert torch.equal(dropped[kept], 2 * whole[kept])


@pytest.mark.parametrize("pos_embed", component_names("vitlab.nn.pos_embed"))
def test_a_gradient_reaches_every_parameter_of_the_model(pos_embed, tiny_spec, normal, randomise):
    model = randomise(ViT(tiny_spec(pos_embed=pos_embed, num_registers=1, layer_scale=0.1, qk_norm=True)))
    model(normal(2, 3, 8, 12)).square().sum().backward()
    unreached = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert unreached == []


def test_loading_a_state_dict_leaves_it_as_it_was(tiny_spec):
    model = ViT(tiny_spec())
    state = dict(model.state_dict())
    state["pos_embed"] = state.pop("pos_embed.weight") + 1
    names = list(state)
    model.load_state_dict(state)
    assert list(state) == names
    assert torch.equal(model.pos_embed.weight, state["pos_embed"])


# ------------------------------------------------------------------------------------------------------------- parity

SHAPE = {"img_size": (32, 48), "patch_size": 8, "num_classes": 7, "embed_dim": 48, "depth": 3, "num_heads": 3}


def against_timm(normal, randomise, ours, theirs, rename=str):
    """Load a random timm model's weights as they are, and compare the logits."""
    timm = pytest.importorskip("timm.models.vision_transformer")
    reference = randomise(timm.VisionTransformer(**SHAPE | theirs)).eval()
    model = ViT(with_settings(preset("vit_tiny_patch16_224"), {"img_size": [32, 48], **SHAPE | ours}))
    model.load_state_dict({rename(name): tensor for name, tensor in reference.state_dict().items()})
    images = normal(2, 3, *model.spec.img_size)
    assert reference(images).std() > 0.1
    torch.testing.assert_close(model(images), reference(images), rtol=0, atol=1e-10)


PARITY = {
    "cls": ({}, {}),
    "square": ({"img_size": 32}, {"img_size": 32}),
    "oblong patches": ({"patch_size": [8, 4]}, {"patch_size": (8, 4)}),
    "registers": ({"num_registers": 4}, {"reg_tokens": 4}),
    "registers without positions": (
        {"num_registers": 4, "pos_embed.prefix": False},
        {"reg_tokens": 4, "no_embed_class": True},
    ),
    "no positions": ({"pos_embed": "none"}, {"pos_embed": "none"}),
    "mean of the patches": ({"pool": "mean", "final_norm": "after_pool"}, {"global_pool": "avg"}),
    "mean without cls": (
        {"pool": "mean", "final_norm": "before_pool", "cls_token": False},
        {"global_pool": "avg", "fc_norm": False, "class_token": False},
    ),
    "no final norm": ({"final_norm": "none"}, {"final_norm": False}),
    "qk-norm": ({"qk_norm": True}, {"qk_norm": True}),
    "no qkv bias": ({"qkv_bias": False}, {"qkv_bias": False}),
    "layer scale": ({"layer_scale": 0.1}, {"init_values": 0.1}),
    "narrow mlp": ({"mlp_ratio": 1.5}, {"mlp_ratio": 1.5}),
}


@pytest.mark.peer
@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("ours", "theirs"), PARITY.values(), ids=PARITY)
def test_it_is_timms_vision_transformer(ours, theirs, normal, randomise):
    against_timm(normal, randomise, ours, theirs)


@pytest.mark.peer
@pytest.mark.usefixtures("double")
def test_it_is_timms_with_attention_pooling(normal, randomise):
    ours = {"pool": "attention", "cls_token": False}
    theirs = {"global_pool": "map", "class_token": False}
    against_timm(normal, randomise, ours, theirs, lambda name: name.replace("attn_pool.", "pool."))


@pytest.mark.peer
@pytest.mark.usefixtures("double")
def test_it_is_timms_with_swiglu(normal, randomise):
    layers = pytest.importorskip("timm.layers")
    against_timm(normal, randomise, {"mlp": "swiglu"}, {"mlp_layer": layers.SwiGLU, "act_layer": nn.SiLU})


@pytest.mark.peer
@pytest.mark.usefixtures("double")
def test_it_is_timms_with_rms_norm(normal, randomise):
    layers = pytest.importorskip("timm.layers")
    against_timm(normal, randomise, {"norm": "rms"}, {"norm_layer": layers.RmsNorm})


@pytest.mark.peer
@pytest.mark.usefixtures("double")
def test_its_blocks_are_vit_pytorchs_transformer(tiny_spec, normal, randomise):
    peer = pytest.importorskip("vit_pytorch.vit")
    reference = randomise(peer.Transformer(dim=16, depth=2, heads=2, dim_head=12, mlp_dim=32))
    spec = tiny_spec(qkv_bias=False, head_dim=12, norm={"name": "layer", "eps": 1e-5})
    model, x = ViT(spec), normal(2, 7, 16)
    parts = {"0.norm": "norm1", "0.to_qkv": "attn.qkv", "0.to_out.0": "attn.proj"}
    parts |= {"1.net.0": "norm2", "1.net.1": "mlp.fc1", "1.net.4": "mlp.fc2"}
    state = {}
    for name, tensor in reference.state_dict().items():
        path, _, kind = name.rpartition(".")
        if path.startswith("layers."):
            _, index, place = path.split(".", 2)
            path = f"blocks.{index}.{parts[place]}"
        state[f"{path}.{kind}"] = tensor
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert unexpected == []
    assert {name.partition(".")[0] for name in missing} == {"cls_token", "patch_embed", "pos_embed", "head"}
    expected = reference(x)
    for index, block in enumerate(model.blocks):
        x = block(x, model.pos_embed.layer(index))
    torch.testing.assert_close(model.norm(x), expected, rtol=0, atol=1e-10)


@pytest.mark.peer
@pytest.mark.slow
@pytest.mark.usefixtures("double")
def test_it_is_transformers_vit(normal, randomise):
    transformers = pytest.importorskip("transformers", minversion="5")  # version 5 renamed the parameters
    config = transformers.ViTConfig(
        image_size=(32, 48),
        patch_size=(8, 8),
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=192,
        num_labels=7,
        attn_implementation="sdpa",  # its other one computes the softmax in single precision
    )
    reference = randomise(transformers.ViTForImageClassification(config)).eval()
    theirs = reference.state_dict()
    model = ViT(
        with_settings(preset("vit_tiny_patch16_224"), SHAPE | {"img_size": [32, 48], "norm.eps": config.layer_norm_eps})
    )
    names = {  # ours -> theirs, one after the other
        "blocks.": "vit.layers.",
        "norm1.": "layernorm_before.",
        "norm2.": "layernorm_after.",
        "attn.proj": "attention.o_proj",
        "attn.qkv": "attention.{}_proj",
        "cls_token": "vit.embeddings.cls_token",
        "pos_embed.weight": "vit.embeddings.position_embeddings",
        "patch_embed.proj": "vit.embeddings.patch_embeddings.projection",
        "head.": "classifier.",
    }
    state = {}
    for name in model.state_dict():
        there = name.replace("norm.", "vit.layernorm.") if name.startswith("norm.") else name
        for ours, other in names.items():
            there = there.replace(ours, other)
        state[name] = torch.cat([theirs[there.format(x)] for x in "qkv"]) if "{}" in there else theirs[there]
    model.load_state_dict(state)
    images = normal(2, 3, 32, 48)
    torch.testing.assert_close(model(images), reference(images).logits, rtol=0, atol=1e-10)
