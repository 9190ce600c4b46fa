"""In what two models differ that no shape of a tensor shows: the same weights, and another function."""

from collections.abc import Iterator
from typing import Any

from vitlab.base.spec import Component, to_dict
from vitlab.models.spec import ViTSpec

# sizes, which tensors show; the head, which may begin anew; and what acts in training alone
_ASIDE = {
    *("img_size", "patch_size", "in_chans", "num_classes", "embed_dim", "depth", "mlp_ratio", "head", "init"),
    *("layer_scale", "drop_path", "embed_dropout", "mixer_dropout", "mlp_dropout", "auxiliary"),
}
_SMALL = 1e-6  # an eps, below which another one makes no difference to be seen
_RANGE = "seen"  # to which computed positions are stretched: it goes along


def unlike(theirs: ViTSpec, ours: ViTSpec) -> Iterator[str]:
    """'mlp is gelu here and relu there', for every such setting."""
    for name in to_dict(ours) | to_dict(theirs):
        here, there = getattr(ours, name), getattr(theirs, name)
        if name not in _ASIDE and _settled(here) != _settled(there):
            yield f"{name} is {written(here)} here and {written(there)} there"


def _settled(value: Any) -> Any:
    if not isinstance(value, Component):
        return value
    settled = {name: each for name, each in to_dict(value).items() if name != _RANGE}
    return settled | ({"eps": max(settled["eps"], _SMALL)} if "eps" in settled else {})


def written(value: Any) -> str:
    """A setting as messages have it: 'gelu (approximate=none)'."""
    if not isinstance(value, Component):
        return str(value)
    own = ", ".join(f"{name}={each}" for name, each in to_dict(value).items() if name != "name")
    return value.name + (f" ({own})" if own else "")
