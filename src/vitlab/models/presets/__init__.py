"""Models by name: timm's names, Google's as aliases, and the models of the reference studies (R0 … R4).

A name may end in a number of classes: `r0_vit:100`, `B/16@384:10`. Pure data: listing models imports no torch.
`models.vit.preset` makes a spec of one.
"""

from typing import Any

from vitlab.base.errors import SpecError, unknown
from vitlab.models.presets import _google, _studied, _timm
from vitlab.models.presets._timm import prepared

__all__ = ["PRESETS", "aliases", "prepared", "resolve", "settings"]

PRESETS: dict[str, dict[str, Any]] = {
    **_timm.presets(),
    **_studied.r0(),
    **_studied.r1(),
    **_studied.r3(),
    **_studied.r4(),
}


def aliases() -> dict[str, str]:
    """Google's names -> timm's, at 224 pixels."""
    return _google.aliases(PRESETS)


def resolve(name: str) -> str:
    """The preset that a name without classes stands for: itself, or Google's `ViT-B_16`, `B/16`, `R50+B/16@384`.

    Raises SpecError for an unknown name.
    """
    resolved = _google.timms_name(name) or name
    if resolved not in PRESETS:
        raise SpecError(unknown("model", name, [*PRESETS, *aliases()]))
    return resolved


def settings(name: str) -> dict[str, Any]:
    """What a preset or an alias sets, with or without a number of classes; the rest are ViTSpec's defaults."""
    model, colon, classes = name.partition(":")
    settings = PRESETS[resolve(model)]
    if not colon:
        return settings
    if not (classes.isascii() and classes.isdigit() and int(classes) > 0):
        raise SpecError(f"model {name!r}: {classes!r} is not a number of classes; legal: {model} or, say, {model}:100")
    return settings | {"num_classes": int(classes)}
