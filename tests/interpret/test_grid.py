"""Where tokens stand, and what is folded onto the picture."""

import pytest
import torch

from vitlab.base.errors import SpecError
from vitlab.interpret.grid import grid_of, over_picture
from vitlab.models.vit import ViT


@pytest.mark.parametrize(("registers", "cls_token"), [(0, True), (3, True), (0, False), (2, False)])
def test_prefix_tokens_stand_nowhere(registers, cls_token, tiny_spec):
    pool = "cls" if cls_token else "mean"
    grid = grid_of(ViT(tiny_spec(num_registers=registers, cls_token=cls_token, pool=pool)))
    assert (grid.rows, grid.columns, grid.prefix) == (2, 3, registers + cls_token)
    assert grid.fold(torch.arange(grid.num_tokens)).tolist() == [
        [grid.prefix, grid.prefix + 1, grid.prefix + 2],
        [grid.prefix + 3, grid.prefix + 4, grid.prefix + 5],
    ]
    assert grid.token(1, -1) == grid.prefix + 5
    assert grid.fold(torch.zeros(4, 6)).shape == (4, 2, 3)


def test_distances_are_in_pixels_down_and_across(tiny_spec):
    far = grid_of(ViT(tiny_spec())).distances()
    assert far.shape == (6, 6)
    assert (far[0, 1], far[0, 3]) == (4, 4)
    assert far[0, 4] == pytest.approx(32**0.5)


def test_a_hybrids_patches_are_as_far_apart_as_the_picture_has_room(tiny_spec):
    spec = tiny_spec(img_size=[32, 64], patch_size=16, patch_embed="conv_stem")
    assert grid_of(ViT(spec)).pitch == (16, 16)


def test_over_the_picture_every_patch_covers_its_pixels():
    drawn = over_picture(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), (4, 6))
    assert drawn.shape == (4, 6)
    assert drawn[0, 2] == 1
    assert drawn[3, 3] == 4
    assert over_picture(torch.zeros(5, 2, 2), (4, 6), smooth=True).shape == (5, 4, 6)


def test_what_is_beyond_is_refused(tiny_spec):
    grid = grid_of(ViT(tiny_spec()))
    with pytest.raises(SpecError, match="5 values are of neither 7 tokens nor 6 patches"):
        grid.fold(torch.zeros(5))
    with pytest.raises(SpecError, match=r"\(2, 0\) is beyond 2 × 3 patches"):
        grid.token(2, 0)
