"""timm's models from Ti to g, its hybrids and DeiT's distilled ones, and the names that Google gives them."""

import re
from typing import Any

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
_STAGES = {"r26": [2, 2, 2, 2], "r50": [3, 4, 6, 3]}
# a ResNet's depth, a size, its whole stride; R50 of stride 16 has no fourth stage: its blocks stand in the third
_HYBRIDS = (("r26", "small", 32), ("r50", "base", 16), ("r50", "large", 32))
_HYBRID_PIXELS = (224, 384)
_DISTILLED = ("tiny", "small", "base")
_GOOGLE = {"Ti": "tiny", "S": "small", "M": "medium", "B": "base", "L": "large", "H": "huge", "g": "giant"}
_GOOGLES_NAME = re.compile(r"(?:R(26|50)\+)?(?:ViT-)?(Ti|S|M|B|L|H|g)[_/](\d+)(?:@(\d+))?")


def _model(size: str, patch: int, pixels: int) -> dict[str, Any]:
    width, depth, heads, ratio = _SHAPES[size]
    return {
        "img_size": [pixels, pixels],
        "patch_size": [patch, patch],
        "embed_dim": width,
        "depth": depth,
        "num_heads": heads,
        "mlp_ratio": ratio,
    }


def plain() -> dict[str, dict[str, Any]]:
    """The ViTs: `vit_base_patch16_224` and its like."""
    return {
        f"vit_{size}_patch{patch}_{pixels}": _model(size, patch, pixels)
        for size, sizes in _SIZES.items()
        for patch, pixels in sizes
    }


def hybrids() -> dict[str, dict[str, Any]]:
    """ViTs on a ResNet's feature map, each of whose pixels is a patch: `patch_size` is the ResNet's stride."""
    presets = {}
    for resnet, size, stride in _HYBRIDS:
        stages = [3, 4, 9] if stride == 16 else _STAGES[resnet]
        for pixels in _HYBRID_PIXELS:
            presets[f"vit_{size}_{resnet}_s{stride}_{pixels}"] = _model(size, stride, pixels) | {
                "patch_embed": {"name": "resnet", "stages": stages},
            }
    return presets


def distilled() -> dict[str, dict[str, Any]]:
    """DeiT's, with a distillation token and its head beside cls (arXiv 2012.12877, section 4)."""
    return {f"deit_{size}_distilled_patch16_224": _model(size, 16, 224) | {"dist_token": True} for size in _DISTILLED}


def timms_name(name: str) -> str | None:
    """What timm would call `ViT-B_16`, `B/16@384` or `R50+B/16`; None for a name that is not of Google's form."""
    match = _GOOGLES_NAME.fullmatch(name)
    if match is None:
        return None
    resnet, size, patch, pixels = match.groups()
    stem = f"r{resnet}_s{patch}" if resnet else f"patch{patch}"
    return f"vit_{_GOOGLE[size]}_{stem}_{pixels or 224}"


def aliases() -> dict[str, str]:
    """Google's names -> timm's, at 224 pixels."""
    letters = {size: letter for letter, size in _GOOGLE.items()}
    names = [f"{letters[size]}/{patch}" for size, sizes in _SIZES.items() for patch, pixels in sizes if pixels == 224]
    names += [f"{resnet.upper()}+{letters[size]}/{stride}" for resnet, size, stride in _HYBRIDS]
    return {name: str(timms_name(name)) for name in names}
