import pytest
import torch

from vitlab.nn.pos_embed import learned


@pytest.mark.parametrize(("registers", "count"), [(0, 7), (2, 9)])
def test_every_token_has_a_vector(registers, count, tiny_dims, normal, randomise):
    positions = randomise(learned.Spec().build(tiny_dims(num_registers=registers)))
    x = normal(2, count, 16)
    assert positions.weight.shape == (1, count, 16)
    assert torch.equal(positions.add(x), x + positions.weight)


def test_prefix_tokens_can_go_without(tiny_dims, normal, randomise):
    positions = randomise(learned.Spec(prefix=False).build(tiny_dims(num_registers=2)))
    x = normal(2, 9, 16)
    added = positions.add(x)
    assert positions.weight.shape == (1, 6, 16)
    assert torch.equal(added[:, :3], x[:, :3])
    assert torch.equal(added[:, 3:], x[:, 3:] + positions.weight)


def test_registers_can_go_without_where_others_do_not(tiny_dims, normal, randomise):
    positions = randomise(learned.Spec(registers=False).build(tiny_dims(num_registers=2)))
    x = normal(2, 9, 16)
    added = positions.add(x)
    assert positions.weight.shape == (1, 7, 16)
    assert torch.equal(added[:, :1], x[:, :1] + positions.weight[:, :1])
    assert torch.equal(added[:, 1:3], x[:, 1:3])
    assert torch.equal(added[:, 3:], x[:, 3:] + positions.weight[:, 1:])
