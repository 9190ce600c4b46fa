import torch

from vitlab.nn.pos_embed import none


def test_it_does_nothing(tiny_dims, normal):
    positions, x, q = none.Spec().build(tiny_dims()), normal(2, 7, 16), normal(2, 2, 7, 8)
    assert positions.add(x) is x
    assert positions.layer(1).rotate(q, q) == (q, q)
    assert positions.layer(1).bias(q) is None
    assert not list(positions.parameters())


def test_it_has_no_state():
    assert torch.nn.Module.state_dict(none.Spec().build(None)) == {}
