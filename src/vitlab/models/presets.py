"""Models by name: timm's names from Ti to g, Google's as aliases, and the systems of the reference studies (R0).

Pure data: listing them imports no torch. `models.vit.preset` makes a spec of one.
"""

import re
from typing import Any

from vitlab.base.errors import SpecError, unknown

# embed_dim, depth, num_heads, mlp_ratio: arXiv 2010.11929 (table 1), 2012.12877 (Ti, S), 2106.04560 (g: table 2)
_SHAPES: dict[str, tuple[int, int, int, float]] = {
    "tiny": (192, 12, 3, 4.0),
    "small": (384, 12, 6, 4.0),
    "medium": (512, 12, 8, 4.0),
    "base": (768, 12, 12, 4.0),
    "large": (1024, 24, 16, 4.0),
    "huge": (1280, 32, 16, 4.0),
    "giant": (1408, 40, 16, 48 / 11),
}
_SIZES: dict[str, tuple[tuple[int, int], ...]] = {  # (patch, image) in pixels
    "tiny": ((16, 224), (16, 384)),
    "small": ((32, 224), (32, 384), (16, 224), (16, 384), (8, 224)),
    "medium": ((32, 224), (16, 224)),
    "base": ((32, 224), (32, 384), (16, 224), (16, 384), (8, 224)),
    "large": ((32, 224), (32, 384), (16, 224), (16, 384), (14, 224)),
    "huge": ((14, 224), (14, 518)),
    "giant": ((14, 224),),
}
_GOOGLE = {"Ti": "tiny", "S": "small", "M": "medium", "B": "base", "L": "large", "H": "huge", "g": "giant"}

# R0: 32x32 images in patches of 4, PyTorch's default initialisation, no bias on q, k and v (docs/results.md)
_R0: dict[str, Any] = {
    "img_size": [32, 32],
    "patch_size": [4, 4],
    "num_classes": 10,
    "embed_dim": 192,
    "depth": 9,
    "num_heads": 12,
    "mlp_ratio": 2.0,
    "qkv_bias": False,
    "norm": {"name": "layer", "eps": 1e-5},
    "init": "torch_default",
}


def _timm_presets() -> dict[str, dict[str, Any]]:
    presets = {}
    for size, (width, depth, heads, ratio) in _SHAPES.items():
        for patch, pixels in _SIZES[size]:
            presets[f"vit_{size}_patch{patch}_{pixels}"] = {
                "img_size": [pixels, pixels],
                "patch_size": [patch, patch],
                "embed_dim": width,
                "depth": depth,
                "num_heads": heads,
                "mlp_ratio": ratio,
            }
    return presets


def _r0_presets() -> dict[str, dict[str, Any]]:
    """R0's ViT, TomViT, and the eight ways to keep (t) or drop (f) cls token, final norm and learned positions."""
    presets = {}
    for letters in ("ttt", "ttf", "tft", "tff", "ftt", "ftf", "fft", "fff"):
        has_cls, has_norm, has_positions = (letter == "t" for letter in letters)
        presets[f"r0_{letters}"] = _R0 | {
            "cls_token": has_cls,
            "pool": "cls" if has_cls else "mean",
            "final_norm": "before_pool" if has_norm else "none",
            "pos_embed": "learned" if has_positions else "sincos2d",
        }
    return presets | {"r0_vit": presets["r0_ttt"], "r0_tomvit": presets["r0_fff"]}


PRESETS: dict[str, dict[str, Any]] = _timm_presets() | _r0_presets()


def resolve(name: str) -> str:
    """The preset that a name stands for: itself, or Google's `ViT-B_16`, `B/16`, `B/16@384`.

    Raises SpecError for an unknown name.
    """
    google = re.fullmatch(r"(?:ViT-)?(Ti|S|M|B|L|H|g)[_/](\d+)(?:@(\d+))?", name)
    resolved = name
    if google:
        size, patch, pixels = google.groups()
        resolved = f"vit_{_GOOGLE[size]}_patch{patch}_{pixels or 224}"
    if resolved not in PRESETS:
        raise SpecError(unknown("model", name, [*PRESETS, *aliases()]))
    return resolved


def aliases() -> dict[str, str]:
    """Google's names -> timm's, at 224 pixels."""
    letters = {size: letter for letter, size in _GOOGLE.items()}
    return {
        f"{letters[size]}/{patch}": f"vit_{size}_patch{patch}_224"
        for size, sizes in _SIZES.items()
        for patch, pixels in sizes
        if pixels == 224
    }


def settings(name: str) -> dict[str, Any]:
    """What a preset or an alias sets; the rest are ViTSpec's defaults."""
    return PRESETS[resolve(name)]
