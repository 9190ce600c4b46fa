import pytest
import torch

from vitlab.models.vit import build
from vitlab.nn.kinds import parameter_kinds
from vitlab.optim.groups import clip_by_norm, parameter_groups

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


def test_every_kind_is_there(model):
    assert set(parameter_kinds(model).values()) == {"kernel", "bias", "norm", "token", "position", "scale"}


def test_kernels_decay_and_nothing_else_does(model):
    """Against the rule of the literature, written independently: what has two dimensions or more, but no token or
    position table."""
    tables = {"cls_token", "reg_token", "pos_embed.weight"}
    shapes = {name: parameter.ndim for name, parameter in model.named_parameters()}
    decayed, spared = parameter_groups(parameter_kinds(model), 0.05, "kernels")
    assert set(decayed.names) == {name for name, dimensions in shapes.items() if dimensions >= 2} - tables
    assert set(decayed.names) | set(spared.names) == set(shapes)
    assert not set(decayed.names) & set(spared.names)
    assert (decayed.weight_decay, spared.weight_decay) == (0.05, 0.0)
    assert "blocks.0.attn.qkv.weight" in decayed.names
    assert {"blocks.0.ls1.gamma", "blocks.1.attn.q_norm.weight", "cls_token"} <= set(spared.names)


def test_all_decay(model):
    (group,) = parameter_groups(parameter_kinds(model), 0.05, "all")
    assert group.names == tuple(name for name, _ in model.named_parameters())
    assert group.weight_decay == 0.05


def test_a_relative_table_does_not_decay(tiny_spec):
    kinds = parameter_kinds(build(tiny_spec(pos_embed="relative_bias")))
    tables = [name for name in kinds if name.startswith("pos_embed.")]
    _, spared = parameter_groups(kinds, 0.05, "kernels")
    assert tables
    assert set(tables) <= set(spared.names)


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
