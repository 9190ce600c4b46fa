"""Shapes of tensors in messages."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from vitlab.base.words import some


def differing_shapes(there: Mapping[str, Tensor], here: Mapping[str, Tensor]) -> Iterator[str]:
    """'of another shape: head.weight is 9 × 64 there and 5 × 64 here', if any tensors that both have are."""
    names = sorted(name for name in there.keys() & here.keys() if there[name].shape != here[name].shape)
    if names:
        shapes = [f"{name} is {_size(there[name])} there and {_size(here[name])} here" for name in names]
        yield f"of another shape: {some(shapes)}"


def _size(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "one number"
