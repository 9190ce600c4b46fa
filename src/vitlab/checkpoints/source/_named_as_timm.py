"""What timm and those who took over its names have in common: DINO, DINOv2, MAE, DeiT.

Their tables differ in a few rows, and their files in what else is in them: by that they are told apart. A file without
such a sign is read as timm's, which says the same function; only how pictures were prepared is another matter then.
"""

from fnmatch import filter as matching

from vitlab.checkpoints.source._base import Content
from vitlab.checkpoints.source._rows import Row

BLOCK = "blocks.{i}."
PLAIN = (Row("pos_embed.weight", "pos_embed"), Row("pool.{*}", "attn_pool.{*}"))
EVERYTHING = (Row("{*}", "{*}"),)
_SIGNS = {  # tensors that only the files of one have; the first counts, since MAE's decoder has a mask token too
    "mae": ("decoder_*",),
    "dino": ("head.mlp.*", "head.last_layer.*"),
    "dinov2": ("mask_token", "register_tokens", "blocks.*.mlp.w12.*", "blocks.*.*.norm1.weight"),
    "deit": ("blocks.*.gamma_?",),
}


def whose(content: Content) -> str:
    """The source that tensors with timm's names are of; empty if they have other names."""
    names = list(content.tensors)
    if "patch_embed.proj.weight" not in names or not matching(names, "blocks.0.*"):
        return ""
    if "architecture" in content.config:
        return "timm"
    signed = (source for source, signs in _SIGNS.items() if any(matching(names, sign) for sign in signs))
    return next(signed, "timm")
