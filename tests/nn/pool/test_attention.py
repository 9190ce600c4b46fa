import pytest
import torch

from vitlab.nn.pool import attention

pytestmark = pytest.mark.usefixtures("double")


def test_a_learned_query_attends_to_all_tokens(tiny_dims, normal, randomise):
    pool, tokens = randomise(attention.Spec().build(tiny_dims())), normal(2, 7, 16)
    query = pool.q(pool.latent[0, 0])
    keys, values = pool.kv(tokens).chunk(2, dim=-1)
    heads = []
    for own in (slice(0, 8), slice(8, 16)):
        weights = (keys[..., own] @ query[own] / 8**0.5).softmax(dim=1)
        heads.append((weights[..., None] * values[..., own]).sum(dim=1))
    pooled = pool.proj(torch.cat(heads, dim=-1))
    expected = pooled + pool.mlp(pool.norm(pooled))
    torch.testing.assert_close(pool(tokens), expected, rtol=0, atol=1e-12)


@pytest.mark.peer
def test_it_is_timms_with_the_same_weights(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.layers")
    theirs = randomise(timm.AttentionPoolLatent(16, num_heads=2, mlp_ratio=2.0, norm_layer=timm.LayerNorm))
    ours, tokens = attention.Spec().build(tiny_dims()), normal(2, 7, 16)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=0, atol=1e-12)


def test_prefix_tokens_can_be_left_out(tiny_dims, normal, randomise):
    dims = tiny_dims(num_registers=2)
    without, tokens = randomise(attention.Spec(prefix=False).build(dims)), normal(2, 9, 16)
    whole = attention.Spec().build(dims)
    whole.load_state_dict(without.state_dict())
    torch.testing.assert_close(without(tokens), whole(tokens[:, 3:]), rtol=0, atol=1e-12)
    assert not torch.allclose(without(tokens), whole(tokens))
