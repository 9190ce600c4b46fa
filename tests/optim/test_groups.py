from collections import defaultdict

import pytest
import torch

from vitlab.models.vit import build
from vitlab.nn.kinds import parameter_kinds
from vitlab.optim.groups import Group, clip_by_norm, layer_of, learning_rate_scales, parameter_groups

EVERY_KIND = {  # kernels and biases of linear layers and convolutions, norms, tokens, positions, scales
    "patch_embed": "conv_stem",
    "num_registers": 2,
    "layer_scale": 0.1,
    "qk_norm": True,
    "head": "mlp",
}


@pytest.fixture
def model(tiny_spec):
    return build(tiny_spec(**EVERY_KIND))


def groups_of(kinds, decay_on):
    """With one learning rate for all."""
    return parameter_groups(kinds, 0.05, decay_on, dict.fromkeys(kinds, 1.0))


def test_every_kind_is_there(model):
    assert set(parameter_kinds(model).values()) == {"kernel", "bias", "norm", "token", "position", "scale"}


def test_kernels_decay_and_nothing_else_does(model):
    """Against the rule of the literature, written independently: what has two dimensions or more, but no token or
    position table."""
    tables = {"cls_token", "reg_token", "pos_embed.weight"}
    shapes = {name: parameter.ndim for name, parameter in model.named_parameters()}
    decayed, spared = groups_of(parameter_kinds(model), "kernels")
    assert set(decayed.names) == {name for name, dimensions in shapes.items() if dimensions >= 2} - tables
    assert set(decayed.names) | set(spared.names) == set(shapes)
    assert not set(decayed.names) & set(spared.names)
    assert (decayed.weight_decay, spared.weight_decay) == (0.05, 0.0)
    assert "blocks.0.attn.qkv.weight" in decayed.names
    assert {"blocks.0.ls1.gamma", "blocks.1.attn.q_norm.weight", "cls_token"} <= set(spared.names)


def test_all_decay(model):
    (group,) = groups_of(parameter_kinds(model), "all")
    assert group.names == tuple(name for name, _ in model.named_parameters())
    assert group.weight_decay == 0.05


def test_a_relative_table_does_not_decay(tiny_spec):
    kinds = parameter_kinds(build(tiny_spec(pos_embed="relative_bias")))
    tables = [name for name in kinds if name.startswith("pos_embed.")]
    _, spared = groups_of(kinds, "kernels")
    assert tables
    assert set(tables) <= set(spared.names)


# ------------------------------------------------------------------------------------------------------ learning rates


def test_what_shares_decay_and_scale_is_one_group():
    kinds = {"a": "kernel", "b": "bias", "c": "kernel", "d": "kernel", "e": "norm"}
    scales = {"a": 0.5, "b": 0.5, "c": 1.0, "d": 0.5, "e": 0.5}
    assert parameter_groups(kinds, 0.1, "kernels", scales) == [
        Group(("a", "d"), 0.1, 0.5),
        Group(("c",), 0.1, 1.0),
        Group(("b", "e"), 0.0, 0.5),
    ]


def test_layers_are_numbered_from_the_images_to_the_head(model):
    """The embeddings, whatever they consist of, are 0; the two blocks 1 and 2; what follows them is 3."""
    layers = defaultdict(set)
    for name, _ in model.named_parameters():
        layers[name.split(".")[0]].add(layer_of(name, depth=2))
    embeddings = {name: {0} for name in ("patch_embed", "cls_token", "reg_token", "pos_embed")}
    assert layers == embeddings | {"blocks": {1, 2}, "norm": {3}, "head": {3}}
    assert layer_of("blocks.11.mlp.fc1.weight", depth=12) == 12


def test_factors_by_hand():
    names = ("cls_token", "blocks.0.norm1.weight", "blocks.1.norm1.weight", "norm.weight", "head.weight")
    expected = [0.1 / 8, 0.1 / 4, 0.1 / 2, 0.1, 1.0]
    assert list(learning_rate_scales(names, 2, layer_decay=0.5, backbone=0.1).values()) == pytest.approx(expected)
    assert set(learning_rate_scales(names, 2).values()) == {1.0}


@pytest.mark.peer
@pytest.mark.parametrize("pool", ["avg", "token"])
def test_layer_decay_is_timms(tiny_spec, pool):
    """The same factor and the same decay for every parameter of a ViT. One thing differs, on purpose: timm counts a
    norm before the pooling to the last block; BEiT, MAE and we count it to the head."""
    timm = pytest.importorskip("timm")
    from timm.optim import param_groups_layer_decay

    shape = {"img_size": 16, "patch_size": 8, "embed_dim": 16, "depth": 3, "num_heads": 2, "num_classes": 5}
    settings = {"avg": {"pool": "mean", "final_norm": "after_pool"}, "token": {"pool": "cls"}}[pool]
    ours = build(tiny_spec(**shape, **settings, mlp_ratio=4.0, num_registers=2))
    theirs = timm.create_model("vit_base_patch16_224", **shape, global_pool=pool, reg_tokens=2)
    names = {id(parameter): name for name, parameter in theirs.named_parameters()}
    expected = {
        names[id(parameter)].replace("pos_embed", "pos_embed.weight"): (group["lr_scale"], group["weight_decay"])
        for group in param_groups_layer_decay(theirs, 0.05, theirs.no_weight_decay(), layer_decay=0.75)
        for parameter in group["params"]
    }
    if pool == "token":
        assert expected["norm.weight"] == expected["norm.bias"] == (0.75, 0.0)
        expected |= dict.fromkeys(("norm.weight", "norm.bias"), (1.0, 0.0))
    kinds = parameter_kinds(ours)
    groups = parameter_groups(kinds, 0.05, "kernels", learning_rate_scales(kinds, 3, layer_decay=0.75))
    assert {name: (group.lr_scale, group.weight_decay) for group in groups for name in group.names} == expected


# ------------------------------------------------------------------------------------------------------------ clipping


def test_clipping_equals_torch_run_by_run(double):
    """One run is far above the limit, one just below, one at zero."""
    gradients = [torch.randn(3, 5), torch.randn(3, 4)]
    for gradient in gradients:
        gradient.mul_(torch.tensor([[40.0], [1e-3], [0.0]]))
    expected, norms = [], []
    for run in range(3):
        parameters = [torch.nn.Parameter(torch.zeros_like(g[run])) for g in gradients]
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient[run].clone()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, 1.0))
        expected.append([parameter.grad for parameter in parameters])
    found = clip_by_norm(gradients, 1.0)
    torch.testing.assert_close(found, torch.stack(norms), rtol=1e-14, atol=0)
    for group, gradient in enumerate(gradients):
        theirs = torch.stack([run[group] for run in expected])
        torch.testing.assert_close(gradient, theirs, rtol=1e-14, atol=0)
    assert norms[0] > 1 > norms[1] > 0
