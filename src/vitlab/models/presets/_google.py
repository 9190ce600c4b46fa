"""The names that Google gives to its models: `ViT-B_16`, `B/16@384`, `R50+B/16`, and what timm calls them."""

import re
from collections.abc import Iterable

# the bottlenecks of each stage, by a ResNet's depth and its whole stride (arXiv 2010.11929, section 3.1)
STAGES = {("r26", 32): [2, 2, 2, 2], ("r50", 32): [3, 4, 6, 3], ("r50", 16): [3, 4, 9]}
_SIZES = {"Ti": "tiny", "S": "small", "M": "medium", "B": "base", "L": "large", "H": "huge", "g": "giant"}
_NAME = re.compile(r"(?:R(26|50)\+)?(?:ViT-)?(Ti|S|M|B|L|H|g)[_/](\d+)(?:@(\d+))?")
_OF_TIMM = re.compile(r"vit_([a-z]+)_(?:(r\d+)_s|patch)(\d+)_224")


def timms_name(name: str) -> str | None:
    """What timm would call `ViT-B_16`, `B/16@384` or `R50+B/16`; None for a name that is not of Google's form."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    resnet, size, patch, pixels = match.groups()
    stem = f"r{resnet}_s{patch}" if resnet else f"patch{patch}"
    return f"vit_{_SIZES[size]}_{stem}_{pixels or 224}"


def aliases(presets: Iterable[str]) -> dict[str, str]:
    """Google's names of those presets that it has a name for -> timm's, at 224 pixels."""
    letters = {size: letter for letter, size in _SIZES.items()}
    matches = [(name, match.groups()) for name in presets if (match := _OF_TIMM.fullmatch(name))]
    return {
        (f"{resnet.upper()}+" if resnet else "") + f"{letters[size]}/{patch}": name
        for name, (size, resnet, patch) in matches
        if size in letters
    }
