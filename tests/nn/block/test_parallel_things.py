from dataclasses import replace

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.nn.block import parallel_things
from vitlab.nn.pos_embed._base import PosEmbed
from vitlab.rng import sample_keys

pytestmark = pytest.mark.usefixtures("double")


@pytest.mark.parametrize("number", [1, 3])
def test_all_mixers_see_one_tensor_and_all_mlps_another(number, tiny_dims, normal, randomise):
    block, x = randomise(parallel_things.Spec(number).build(tiny_dims(layer_scale=0.1))), normal(2, 7, 16)
    a = x + sum(each.ls.gamma * each.attn(each.norm(x), PosEmbed()) for each in block.attns)
    y = a + sum(each.ls.gamma * each.mlp(each.norm(a)) for each in block.ffns)
    torch.testing.assert_close(block(x, PosEmbed()), y, rtol=0, atol=1e-12)
    assert len(block.attns) == len(block.ffns) == number


def test_branches_drop_out_each_by_itself(tiny_dims, normal, randomise):
    dims = tiny_dims(drop_path=0.5, mlp_dropout=0.5, mixer_dropout=0.5)
    block = parallel_things.Spec().build(replace(dims, layer=1))
    one, other = block.ffns
    other.load_state_dict(one.state_dict())
    keys, x = sample_keys(torch.tensor([0]), torch.arange(2))[0], normal(2, 7, 16)
    assert torch.equal(one(x, None), other(x, None))
    assert not torch.equal(one(x, keys), other(x, keys))
    tags = [module.tag for module in block.modules() if hasattr(module, "tag")]
    assert len(tags) == len(set(tags)) == 10


@pytest.mark.parametrize("number", [0, 17])
def test_a_number_that_makes_no_sense_is_refused(number):
    with pytest.raises(SpecError, match=f"block.number={number}: must be from 1 to 16"):
        parallel_things.Spec(number)


@pytest.mark.peer
def test_it_is_timms_with_the_same_weights(tiny_dims, normal, randomise):
    timm = pytest.importorskip("timm.models.vision_transformer")
    theirs = randomise(timm.ParallelThingsBlock(16, num_heads=2, mlp_ratio=2.0, qkv_bias=True, init_values=0.1))
    for branch in (*theirs.attns, *theirs.ffns):
        branch.norm.eps = 1e-6
    ours, x = parallel_things.Spec().build(tiny_dims(layer_scale=0.1)), normal(2, 7, 16)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(x, PosEmbed()), theirs(x), rtol=0, atol=1e-12)
