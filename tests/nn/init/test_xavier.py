"""What both of Xavier's initialisations share."""

import pytest
import torch
from torch import Generator, nn

from vitlab.models.vit import build
from vitlab.nn.init._xavier import matrices
from vitlab.rng import host_seed

PYTORCH = {"xavier_uniform": nn.init.xavier_uniform_, "xavier_normal": nn.init.xavier_normal_}


@pytest.mark.parametrize("init", PYTORCH)
@pytest.mark.parametrize("name", ["blocks.0.attn.proj.weight", "blocks.1.mlp.fc1.weight", "patch_embed.stem.0.weight"])
def test_given_the_generator_an_unfused_weight_is_pytorchs_own(name, init, tiny_spec):
    ours = build(tiny_spec(init=init, patch_embed="conv_stem"), seed=3).get_parameter(name)
    theirs = PYTORCH[init](torch.empty(ours.shape), generator=Generator().manual_seed(host_seed(3, name)))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("init", PYTORCH)
def test_given_the_generator_a_fused_weight_counted_as_one_is_pytorchs_too(init, tiny_spec):
    name = "blocks.1.attn.qkv.weight"
    ours = build(tiny_spec(init={"name": init, "fused_qkv": True}), seed=3).get_parameter(name)
    theirs = PYTORCH[init](torch.empty(ours.shape), generator=Generator().manual_seed(host_seed(3, name)))
    assert torch.equal(ours, theirs)


def test_a_patch_embedding_is_a_matrix_and_a_stem_is_not():
    patches, stem = nn.Conv2d(3, 8, 4, stride=4), nn.Conv2d(3, 8, 3, stride=2, padding=1)
    (matrix,), (kernel,) = matrices(patches, patches.weight), matrices(stem, stem.weight)
    assert (matrix.shape, kernel.shape) == ((8, 48), (8, 3, 3, 3))
    assert matrix.data_ptr() == patches.weight.data_ptr()
