import pytest
import torch
from torch import nn

from vitlab.models.vit import ViT
from vitlab.nn.kinds import kind_of, owned_parameters, parameter_kinds


def test_every_parameter_of_a_model_has_the_kind_it_should(tiny_spec):
    kinds = parameter_kinds(ViT(tiny_spec(depth=1, num_registers=1, layer_scale=0.1, qk_norm=True)))
    assert kinds == {
        "cls_token": "token",
        "reg_token": "token",
        "patch_embed.proj.weight": "kernel",
        "patch_embed.proj.bias": "bias",
        "pos_embed.weight": "position",
        "blocks.0.norm1.weight": "norm",
        "blocks.0.norm1.bias": "norm",
        "blocks.0.attn.qkv.weight": "kernel",
        "blocks.0.attn.qkv.bias": "bias",
        "blocks.0.attn.q_norm.weight": "norm",
        "blocks.0.attn.q_norm.bias": "norm",
        "blocks.0.attn.k_norm.weight": "norm",
        "blocks.0.attn.k_norm.bias": "norm",
        "blocks.0.attn.proj.weight": "kernel",
        "blocks.0.attn.proj.bias": "bias",
        "blocks.0.ls1.gamma": "scale",
        "blocks.0.norm2.weight": "norm",
        "blocks.0.norm2.bias": "norm",
        "blocks.0.mlp.fc1.weight": "kernel",
        "blocks.0.mlp.fc1.bias": "bias",
        "blocks.0.mlp.fc2.weight": "kernel",
        "blocks.0.mlp.fc2.bias": "bias",
        "blocks.0.ls2.gamma": "scale",
        "norm.weight": "norm",
        "norm.bias": "norm",
        "head.weight": "kernel",
        "head.bias": "bias",
    }


def test_an_undeclared_parameter_is_refused_by_name():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.thing = nn.Parameter(torch.zeros(1))

    with pytest.raises(TypeError, match=r"Odd\.thing has no kind: declare it in parameter_kinds"):
        kind_of(Odd(), "thing")


def test_owned_parameters_are_the_models_in_its_order(tiny_spec):
    model = ViT(tiny_spec())
    assert [full for full, *_ in owned_parameters(model)] == [name for name, _ in model.named_parameters()]
    assert all(getattr(module, name) is parameter for _, module, name, parameter in owned_parameters(model))
