import pytest
import torch
from scipy import stats
from torch import nn

from vitlab.models.vit import build


@pytest.mark.parametrize("place", ["patch_embed.proj", "blocks.0.attn.qkv", "blocks.1.mlp.fc2", "head"])
def test_weights_and_biases_are_uniform_on_one_over_the_root_of_fan_in(place, tiny_spec):
    layer = build(tiny_spec(embed_dim=64, num_classes=100, init="torch_default")).get_submodule(place)
    bound = (layer.weight.numel() / layer.weight.shape[0]) ** -0.5
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= bound
        assert stats.kstest(values.detach().flatten() / bound, "uniform", (-1, 2)).pvalue > 1e-3


def test_it_is_as_wide_as_pytorchs_own(tiny_spec):
    ours = build(tiny_spec(embed_dim=64, init="torch_default")).blocks[0].mlp.fc2
    theirs = nn.Linear(ours.in_features, ours.out_features)
    assert ours.weight.std().item() == pytest.approx(theirs.weight.std().item(), rel=0.05)
    assert ours.weight.abs().max().item() == pytest.approx(theirs.weight.abs().max().item(), rel=0.01)


@pytest.mark.parametrize("values", ["weight", "bias"])
def test_of_a_transposed_convolution_the_fan_in_is_pytorchs(values, tiny_spec):
    """PyTorch takes the outputs of its weight, [in, out, k, k], for its inputs; so do we."""
    ours = build(tiny_spec(embed_dim=512, auxiliary="decoder", init="torch_default")).auxiliary.decoder[2]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = nn.ConvTranspose2d(ours.in_channels, 3, 4, stride=2, padding=1)
    bound = (ours.out_channels * 4 * 4) ** -0.5  # not (ours.in_channels · 4 · 4)^-½
    assert getattr(ours, values).abs().max() <= bound
    assert getattr(theirs, values).abs().max() <= bound
    if values == "weight":
        assert ours.weight.abs().max().item() == pytest.approx(theirs.weight.abs().max().item(), rel=0.001)
        assert stats.kstest(ours.weight.detach().flatten() / bound, "uniform", (-1, 2)).pvalue > 1e-3
    else:
        assert min(ours.bias.abs().max(), theirs.bias.abs().max()) > (ours.in_channels * 4 * 4) ** -0.5
