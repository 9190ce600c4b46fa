import torch

from vitlab.nn.pool import cls


def test_it_is_the_first_token_and_needs_one(tiny_dims, normal):
    tokens = normal(2, 9, 16)
    assert torch.equal(cls.Spec().build(tiny_dims(num_registers=2))(tokens), tokens[:, 0])
    assert cls.Spec.needs_cls_token
