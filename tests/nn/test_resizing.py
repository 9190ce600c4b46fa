"""Tables and kernels for another grid: against timm's, and by what must not change."""

import pytest
import torch
from torch.nn.functional import interpolate

from vitlab.nn.resizing import Resizing

BICUBIC, LINEAR = Resizing(), Resizing("bilinear", antialias=False)


@pytest.mark.peer
@pytest.mark.parametrize("resizing", [BICUBIC, LINEAR])
@pytest.mark.parametrize(("before", "after"), [((4, 6), (7, 5)), ((5, 5), (3, 3)), ((3, 3), (9, 12))])
def test_a_grid_is_resized_as_timm_does_it(resizing, before, after, normal):
    timm = pytest.importorskip("timm.layers")
    values = normal(1, before[0] * before[1], 8)
    how = {"interpolation": resizing.interpolation, "antialias": resizing.antialias}
    theirs = timm.resample_abs_pos_embed(values, list(after), list(before), num_prefix_tokens=0, **how)
    torch.testing.assert_close(resizing.grid(values, before, after), theirs)


@pytest.mark.peer
@pytest.mark.parametrize(("before", "after"), [(16, 14), (8, 12), (4, 4)])
def test_a_kernel_is_resized_as_timm_does_it(before, after, normal):
    timm = pytest.importorskip("timm.layers")
    weight = normal(5, 3, before, before)
    theirs = timm.resample_patch_embed(weight, [after, after])
    torch.testing.assert_close(BICUBIC.kernel(weight, (after, after)), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("resizing", [BICUBIC, LINEAR])
def test_a_larger_patch_says_what_the_patch_said(resizing, normal):
    """FlexiViT's equation 3: patch and kernel resized together change nothing."""
    with_double = normal(7, 3, 4, 6).double(), normal(5, 3, 4, 6).double()
    patches, weight = with_double
    larger = interpolate(
        patches, (8, 9), mode=resizing.interpolation, antialias=resizing.antialias, align_corners=False
    )
    said = torch.einsum("ncpq,dcpq->nd", patches, weight)
    torch.testing.assert_close(torch.einsum("ncpq,dcpq->nd", larger, resizing.kernel(weight, (8, 9))), said)


def test_the_same_size_is_left_alone(normal):
    values, weight = normal(2, 12, 8), normal(5, 3, 4, 4)
    assert BICUBIC.grid(values, (3, 4), (3, 4)) is values
    assert BICUBIC.kernel(weight, (4, 4)) is weight


def test_there_and_back_by_a_whole_factor_keeps_what_is_smooth():
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 8), torch.linspace(0, 1, 6), indexing="ij")
    values = torch.stack([rows + columns, rows * columns], dim=-1).flatten(0, 1)
    back = BICUBIC.grid(BICUBIC.grid(values, (8, 6), (16, 12)), (16, 12), (8, 6))
    torch.testing.assert_close(back, values, rtol=0, atol=0.03)
