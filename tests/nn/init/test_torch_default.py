import pytest
from scipy import stats

from vitlab.models.vit import build


@pytest.mark.parametrize("place", ["patch_embed.proj", "blocks.0.attn.qkv", "blocks.1.mlp.fc2", "head"])
def test_weights_and_biases_are_uniform_on_one_over_the_root_of_fan_in(place, tiny_spec):
    layer = build(tiny_spec(embed_dim=64, num_classes=100, init="torch_default")).get_submodule(place)
    bound = (layer.weight.numel() / layer.weight.shape[0]) ** -0.5
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= bound
        assert stats.kstest(values.detach().flatten() / bound, "uniform", (-1, 2)).pvalue > 1e-3


def test_it_is_as_wide_as_pytorchs_own(tiny_spec):
    from torch import nn

    ours = build(tiny_spec(embed_dim=64, init="torch_default")).blocks[0].mlp.fc2
    theirs = nn.Linear(ours.in_features, ours.out_features)
    assert ours.weight.std().item() == pytest.approx(theirs.weight.std().item(), rel=0.05)
    assert ours.weight.abs().max().item() == pytest.approx(theirs.weight.abs().max().item(), rel=0.01)
