from math import pi

import pytest
import torch

from vitlab.nn.mixer import fft
from vitlab.nn.pos_embed._base import PosEmbed

pytestmark = pytest.mark.usefixtures("double")


def dft(size):
    """The matrix of the discrete Fourier transform, exp(-2πi jk / n)."""
    places = torch.arange(size)
    angles = -2 * pi * (places[:, None] * places[None, :]) / size
    return torch.complex(angles.cos(), angles.sin())


def test_it_is_the_transform_s_definition_over_tokens_and_channels(tiny_dims, normal):
    mixer, x = fft.Spec().build(tiny_dims()), normal(2, 7, 16)
    expected = (dft(7) @ x.to(torch.complex128) @ dft(16)).real
    torch.testing.assert_close(mixer(x, PosEmbed()), expected, rtol=0, atol=1e-12)


def test_it_owns_nothing(tiny_dims):
    assert not list(fft.Spec().build(tiny_dims()).parameters())


def test_bfloat16_is_transformed_in_single_precision(tiny_dims, normal):
    mixer, x = fft.Spec().build(tiny_dims()), normal(2, 7, 16).bfloat16()
    y = mixer(x, PosEmbed())
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, mixer(x.float(), PosEmbed()).bfloat16())


def test_every_token_reaches_every_token_and_their_order_matters(tiny_dims, normal):
    mixer, x = fft.Spec().build(tiny_dims()), normal(1, 7, 16)
    for token in range(7):
        changed = x.clone()
        changed[:, token] += normal(16)
        assert (mixer(changed, PosEmbed()) != mixer(x, PosEmbed())).any(-1).all()
    order = torch.tensor([4, 2, 6, 0, 1, 5, 3])
    assert not torch.allclose(mixer(x[:, order], PosEmbed()), mixer(x, PosEmbed())[:, order])
