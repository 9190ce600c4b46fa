"""One size at a time: what it changes, and what stays."""

import pytest


def shapes(found):
    """Depth, D, attention heads, head width, MLP width and patch size of every cell."""
    rows = {}
    for cell in found.cells:
        model = cell.candidates[0].spec.model
        dims = model.dims()
        rows[cell.cell.name] = (
            model.depth,
            model.embed_dim,
            model.num_heads,
            dims.head_dim,
            dims.mlp_dim,
            *model.patch_size[:1],
        )
    return rows


@pytest.mark.slow
def test_half_and_double_of_each(planned):
    assert shapes(planned("shape")) == {
        "baseline": (8, 192, 12, 16, 384, 4),
        "depth 4": (4, 192, 12, 16, 384, 4),
        "depth 16": (16, 192, 12, 16, 384, 4),
        "width 96": (8, 96, 6, 16, 384, 4),
        "width 384": (8, 384, 24, 16, 384, 4),
        "MLP width 192": (8, 192, 12, 16, 192, 4),
        "MLP width 768": (8, 192, 12, 16, 768, 4),
        "patch size 8": (8, 192, 12, 16, 384, 8),
        "patch size 2": (8, 192, 12, 16, 384, 2),
        "all three halved": (4, 96, 6, 16, 192, 4),
        "all three doubled": (16, 384, 24, 16, 768, 4),
    }


@pytest.mark.slow
def test_equal_steps_and_equal_flops(planned):
    steps, flops = planned("shape"), planned("shape", "equal_flops")
    assert {cell.steps for cell in steps.cells} == {11_720}
    assert shapes(steps) == shapes(flops)
    spent = [cell.steps * cell.step_flops for cell in flops.cells]
    assert spent == pytest.approx([spent[0]] * 11, rel=1e-3)
    warm_ups = [cell.candidates[0].spec.optim.schedule.warmup_steps / cell.steps for cell in flops.cells]
    assert max(warm_ups) < 0.2


@pytest.mark.slow
def test_on_digits(planned):
    found = shapes(planned("shape", "digits"))
    assert found["baseline"] == (2, 32, 4, 8, 64, 2)
    assert found["patch size 1"] == (2, 32, 4, 8, 64, 1)
    assert found["all three halved"] == (1, 16, 2, 8, 32, 2)
