import torch

from vitlab.nn.mixer import identity
from vitlab.nn.pos_embed._base import PosEmbed


def test_the_mixing_branch_is_zero_and_owns_nothing(tiny_dims, normal):
    mixer, x = identity.Spec().build(tiny_dims()), normal(2, 7, 16)
    assert torch.equal(mixer(x, PosEmbed()), torch.zeros_like(x))
    assert not list(mixer.parameters())


def test_tokens_meet_nowhere(tiny_spec, normal, randomise):
    from vitlab.models.vit import ViT

    model = randomise(ViT(tiny_spec(mixer="identity")))
    images = normal(1, 3, 8, 12)
    changed = images.clone()
    changed[..., :4, :4] += 1  # the first patch
    before, after = model.forward_features(images)[0], model.forward_features(changed)[0]
    assert (before != after).any(dim=-1).tolist() == [False, True, False, False, False, False, False]
