"""A trained model for images or patches of another size: which of its tensors change, and how its settings do.

What becomes of a part is the part's own affair (`PartSpec.resized`, `PartSpec.adapted`).
"""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from vitlab.base.spec import plain
from vitlab.models.spec import ViTSpec
from vitlab.nn.resizing import Resizing

_SIZED = ("patch_embed", "pos_embed")  # the parts that see the grid or the patches


def resized(tensors: Mapping[str, Tensor], before: ViTSpec, after: ViTSpec, resizing: Resizing) -> dict[str, Tensor]:
    """Tensors of a model `before`, by name, for one that goes on as `after`; those of other parts are as they were."""
    dims = before.dims(), after.dims()
    if (dims[0].grid, dims[0].patch_size) == (dims[1].grid, dims[1].patch_size):
        return dict(tensors)
    changed = dict(tensors)
    for site in _SIZED:
        part = getattr(before, site)
        for name in tensors:
            if name.startswith(f"{site}."):
                inside = name.removeprefix(f"{site}.")
                changed[name] = part.resized(inside, tensors[name], *dims, resizing)
    return changed


def adapted(after: ViTSpec, before: ViTSpec) -> ViTSpec:
    """The model that goes on from `before` at the sizes of `after`: computed positions keep the range that they had,
    where both have the same kind of positions.
    """
    if type(after.pos_embed) is not type(before.pos_embed):
        return after
    return replace(after, pos_embed=after.pos_embed.adapted(before.dims(), after.dims()))


def told(tensors: Mapping[str, Tensor], changed: Mapping[str, Tensor], before: ViTSpec, after: ViTSpec) -> list[str]:
    """What was done to the tensors, and to computed positions, in sentences."""
    said = []
    grids = f"from {_written(before.dims().grid)} to {_written(after.dims().grid)} patches"
    names = [name for name in tensors if changed[name] is not tensors[name]]
    if any(name.startswith("pos_embed.") for name in names) and before.dims().grid != after.dims().grid:
        said.append(f"positions resized {grids}")
    if any(name.startswith("patch_embed.") for name in names):
        said.append(f"patch kernels resized from {_written(before.patch_size)} to {_written(after.patch_size)} pixels")
    if before.dims().grid != after.dims().grid and not any(name.startswith("pos_embed.") for name in names):
        seen = plain(getattr(after.pos_embed, "seen", None))
        if seen:
            said.append(f"positions stretched to the {_written(seen)} patches of training, {grids}")
        elif after.pos_embed.suits_any_grid:
            said.append(f"positions are across the picture, {grids}")
        elif after.pos_embed.stretches:
            said.append(f"positions run on {grids}, beyond the range of training")
        elif after.pos_embed.name != "none":
            said.append(f"positions run on {grids}: {after.pos_embed.name} has none that could be stretched")
    return said


def _written(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
