"""Kinds of parameters: the one place that weight decay and initialisation ask.

A module that owns unusual parameters says so in a class attribute, `parameter_kinds = {"gamma": "scale"}`; for
PyTorch's own layers the kind follows from their type. A table that has rows for patches and rows for prefix tokens says
which the latter are, `rows_apart = {"weight": range(1)}`: these are drawn one by one, so that models with other prefix
tokens share what they have in common.
"""

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

Kind = Literal["kernel", "bias", "norm", "token", "position", "scale"]


def kind_of(module: nn.Module, name: str) -> Kind:
    """The kind of the parameter `name` that `module` itself owns."""
    declared = getattr(module, "parameter_kinds", {})
    if name in declared:
        return declared[name]
    if isinstance(module, nn.LayerNorm | nn.RMSNorm | nn.GroupNorm):
        return "norm"
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        return "kernel" if name == "weight" else "bias"
    raise TypeError(f"{type(module).__name__}.{name} has no kind: declare it in parameter_kinds")


def sections(module: nn.Module, name: str, parameter: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The parts of the parameter `name` [..., rows, width] that are drawn apart, as views: what is common to all rows
    but those that stand apart, under no name, and each of these under its number.
    """
    apart = getattr(module, "rows_apart", {}).get(name, range(0))
    if not apart:
        yield "", parameter
        return
    # They stand before all others, or behind them
    common = slice(apart.stop, None) if apart.start == 0 else slice(apart.start)
    if (together := parameter[..., common, :]).numel():
        yield "", together
    for number, row in enumerate(apart):
        yield f"#{number}", parameter[..., row : row + 1, :]


def owned_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Parameter]]:
    """(full name, owner, own name, parameter) of every parameter, in the model's order."""
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            yield (f"{path}.{name}" if path else name), module, name, parameter


def parameter_kinds(model: nn.Module) -> dict[str, Kind]:
    """The kind of every parameter of `model`, by its full name."""
    return {full: kind_of(module, name) for full, module, name, _ in owned_parameters(model)}
