from math import erf, sqrt

import pytest
import torch

from vitlab.nn.block import pre_norm
from vitlab.nn.mixer import token_mlp
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


def gelu(x):
    return x * (1 + erf(x / sqrt(2))) / 2


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("hidden", [None, 3])
def test_it_is_two_layers_along_the_tokens_of_each_channel(hidden, tiny_dims, normal, randomise):
    mixer, x = randomise(token_mlp.Spec(hidden=hidden).build(tiny_dims())), normal(1, 7, 16)
    y = mixer(x, PosEmbed())[0]
    w1, b1, w2, b2 = (p.tolist() for p in (mixer.fc1.weight, mixer.fc1.bias, mixer.fc2.weight, mixer.fc2.bias))
    for channel in range(16):
        column = x[0, :, channel].tolist()
        inner = [gelu(dot(row, column) + b) for row, b in zip(w1, b1, strict=True)]
        expected = [dot(row, inner) + b for row, b in zip(w2, b2, strict=True)]
        assert y[:, channel].tolist() == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize(("width", "hidden"), [(512, 256), (768, 384), (1024, 512), (1280, 640)], ids="SBLH")
def test_its_width_is_the_paper_s_for_its_sizes(width, hidden, tiny_dims):
    mixer = token_mlp.Spec().build(tiny_dims(embed_dim=width))
    assert (mixer.fc1.out_features, mixer.fc2.in_features) == (hidden, hidden)


def test_channels_are_a_set_and_tokens_are_not(tiny_dims, normal, randomise):
    mixer, x = randomise(token_mlp.Spec().build(tiny_dims())), normal(2, 7, 16)
    y, channels, tokens = mixer(x, PosEmbed()), torch.arange(16).flip(0), torch.arange(7).flip(0)
    torch.testing.assert_close(mixer(x[..., channels], PosEmbed()), y[..., channels], rtol=0, atol=1e-13)
    assert not torch.allclose(mixer(x[:, tokens], PosEmbed()), y[:, tokens])


@pytest.mark.peer
def test_a_block_around_it_is_timms_mixer_block(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.mlp_mixer")
    theirs = randomise(timm.MixerBlock(16, 7, mlp_ratio=(0.5, 2.0))).eval()
    ours = pre_norm.Spec().build(tiny_dims(mixer="token_mlp"))
    names = {"mlp_tokens": "attn", "mlp_channels": "mlp"}
    ours.load_state_dict(
        {".".join(names.get(part, part) for part in name.split(".")): w for name, w in theirs.state_dict().items()}
    )
    x = normal(3, 7, 16)
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-12)
