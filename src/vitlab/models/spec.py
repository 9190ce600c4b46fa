"""`ViTSpec`: every choice that makes a model, and the rules by which choices fit together.

A part's own needs (a width that sinusoids can split, say) are its `conflict`; here stand the rules between families,
stated on what a part declares about itself and never on its name. Each looks at a spec and says what is wrong, naming
both settings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component, Spec, added, component_class, component_names, from_dict
from vitlab.base.words import counted
from vitlab.models import presets
from vitlab.nn.attention import softmax
from vitlab.nn.attention._base import AttentionSpec
from vitlab.nn.auxiliary import none
from vitlab.nn.auxiliary._base import AuxiliarySpec
from vitlab.nn.block import pre_norm
from vitlab.nn.block._base import BlockSpec
from vitlab.nn.dims import BlockDims
from vitlab.nn.head import linear as linear_head
from vitlab.nn.head._base import HeadSpec
from vitlab.nn.init import trunc_normal
from vitlab.nn.init._base import InitSpec
from vitlab.nn.mixer import self_attention
from vitlab.nn.mixer._base import MixerSpec
from vitlab.nn.mlp import gelu
from vitlab.nn.mlp._base import MLPSpec
from vitlab.nn.norm import layer
from vitlab.nn.norm._base import NormSpec
from vitlab.nn.part import PartSpec
from vitlab.nn.patch_embed import linear as linear_patches
from vitlab.nn.patch_embed._base import PatchEmbedSpec
from vitlab.nn.pool import cls
from vitlab.nn.pool._base import PoolSpec
from vitlab.nn.pos_embed import learned
from vitlab.nn.pos_embed._base import PosEmbedSpec

# What nobody's model exceeds: a mistake, or somebody else's file, is refused before a module is built
LARGEST = {
    "in_chans": 1 << 16,
    "num_classes": 1 << 24,
    "embed_dim": 1 << 20,
    "head_dim": 1 << 20,
    "depth": 1000,
    "num_heads": 1 << 14,
    "mlp_ratio": 1000,
}
_ROUNDING = 1e-6  # of a width that is a ratio of two whole numbers
MOST_TOKENS, MOST_PIXELS = 1 << 20, 1 << 16  # of an image; of one of its sides


@dataclass(frozen=True)
class ViTSpec(Spec):
    """Every choice that makes a ViT; the defaults are ViT-B/16 with 1000 classes.

    Sizes are (rows, columns) in pixels; one number stands for both. A combination that makes no sense is a SpecError
    that names both settings.
    """

    img_size: tuple[int, int] = (224, 224)
    patch_size: tuple[int, int] = (16, 16)
    in_chans: int = 3
    num_classes: int = 1000  # 0: no head; the model gives the features that one would read
    embed_dim: int = 768
    depth: int = 12
    num_heads: int = 12
    head_dim: int | None = None  # None: embed_dim / num_heads
    mlp_ratio: float = 4.0  # mlp width / embed_dim
    patch_embed: PatchEmbedSpec = linear_patches.Spec()
    auxiliary: AuxiliarySpec = none.Spec()
    pos_embed: PosEmbedSpec = learned.Spec()
    block: BlockSpec = pre_norm.Spec()
    mixer: MixerSpec = self_attention.Spec()
    attention: AttentionSpec = softmax.Spec()  # inside the mixers that are built around one
    mlp: MLPSpec = gelu.Spec()
    norm: NormSpec = layer.Spec()
    pool: PoolSpec = cls.Spec()
    head: HeadSpec = linear_head.Spec()
    init: InitSpec = trunc_normal.Spec()
    cls_token: bool = True
    dist_token: bool = False  # DeiT's distillation token beside cls, with a head of its own (arXiv 2012.12877)
    num_registers: int = 0  # learned tokens beside cls that no head reads (arXiv 2309.16588)
    qkv_bias: bool = True
    proj_bias: bool = True  # of the mixer's output projection
    mlp_bias: bool = added(True)  # of the MLP's layers
    qk_norm: bool = False  # a norm on queries and keys, per attention head (arXiv 2302.05442)
    scale_attn_norm: bool = added(False)  # a norm before the mixer's output projection (sub-LN, arXiv 2210.06423)
    scale_mlp_norm: bool = added(False)  # and one before the MLP's last layer
    norm_pre: bool = added(False)  # a norm of all tokens before the first block, as CLIP has it (arXiv 2103.00020)
    final_norm: Literal["before_pool", "after_pool", "none"] = "before_pool"
    layer_scale: float | None = None  # the start of each channel's factor; None: no layer scale
    drop_path: float = 0.0  # stochastic depth's rate at the last block, rising linearly from 0
    embed_dropout: float = 0.0  # after positions
    mixer_dropout: float = 0.0  # on the mixer's output
    mlp_dropout: float = 0.0  # after each layer of the MLP

    def __post_init__(self) -> None:
        for broken in broken_rules(self):
            raise SpecError(broken)

    @classmethod
    def named(cls, name: str) -> dict[str, Any]:
        """A preset's settings."""
        return presets.settings(name)

    def told(self) -> str:
        """Its sizes in words."""
        return (
            f"{counted(self.depth, 'block')} of width {self.embed_dim}, {counted(self.num_heads, 'attention head')}, "
            f"patches of {self.patch_size[0]} × {self.patch_size[1]} pixels"
        )

    def parts(self) -> list[PartSpec]:
        """The parts that it is made of, in the order of its fields."""
        values = (getattr(self, field.name) for field in fields(self))
        return [value for value in values if isinstance(value, PartSpec)]

    def dims(self) -> BlockDims:
        """The sizes and parts that every component is built from; derived, never stored."""
        return BlockDims(
            img_size=self.img_size,
            patch_size=self.patch_size if self.patch_embed.cuts_patches else (1, 1),
            in_chans=self.in_chans,
            embed_dim=self.embed_dim,
            depth=self.depth,
            num_heads=self.num_heads,
            head_dim=self.head_dim or self.embed_dim // self.num_heads,
            mlp_dim=int(self.embed_dim * self.mlp_ratio + _ROUNDING),  # as timm cuts it off
            num_prefix_tokens=int(self.cls_token) + int(self.dist_token) + self.num_registers,
            num_registers=self.num_registers,
            num_classes=self.num_classes,
            qkv_bias=self.qkv_bias,
            proj_bias=self.proj_bias,
            mlp_bias=self.mlp_bias,
            qk_norm=self.qk_norm,
            scale_attn_norm=self.scale_attn_norm,
            scale_mlp_norm=self.scale_mlp_norm,
            layer_scale=self.layer_scale,
            drop_path=self.drop_path,
            mixer_dropout=self.mixer_dropout,
            mlp_dropout=self.mlp_dropout,
            norm=self.norm,
            attention=self.attention,
            mixer=self.mixer,
            mlp=self.mlp,
        )


def preset(name: str) -> ViTSpec:
    """The spec of a preset: timm's name, Google's, or a reference study's, perhaps with `:N`, its number of classes.

    Raises SpecError for an unknown one.
    """
    return from_dict(ViTSpec, presets.settings(name))


# ---------------------------------------------------------------------------------------------------------- rules


def broken_rules(spec: ViTSpec) -> Iterator[str]:
    """Every rule that `spec` breaks, as a message; none if the model can be built."""
    sizes = list(_sizes(spec))
    yield from sizes
    if not sizes:  # the parts may divide by them
        yield from _parts(spec)


def subset_conflict(spec: ViTSpec) -> str | None:
    """Why the encoder of this model cannot be given only some of the patches, naming the part; None if it can.

    A part that mixes the pixels of neighbouring patches would show in a visible patch what a masked one holds; and
    some mixers have weights, or a transform, for all tokens at once.
    """
    mixing = "mixes neighbouring patches, so the visible ones show what is masked"
    needing = "needs all patches"
    legal_embed = _named(PatchEmbedSpec, lambda part: not part.mixes_patches)
    if spec.patch_embed.mixes_patches:
        return f"patch_embed={spec.patch_embed.name} {mixing}; legal: {legal_embed}"
    if spec.auxiliary.mixes_patches:
        legal = _named(AuxiliarySpec, lambda part: not part.mixes_patches)
        return f"auxiliary={spec.auxiliary.name} {mixing}; legal: {legal}"
    if spec.mixer.needs_all_tokens:
        return f"mixer={spec.mixer.name} {needing}; legal: {_named(MixerSpec, lambda part: not part.needs_all_tokens)}"
    if spec.mixer.uses_attention and spec.attention.needs_all_tokens:
        legal = _named(AttentionSpec, lambda part: not part.needs_all_tokens)
        return f"attention={spec.attention.name} {needing}; legal: {legal}"
    return None


def _sizes(spec: ViTSpec) -> Iterator[str]:
    for name, most in LARGEST.items():
        value = getattr(spec, name)
        if value is not None and value <= 0 and (name, value) != ("num_classes", 0):
            yield f"{name}={value}: must be positive" + (", or 0 for features" if name == "num_classes" else "")
        if value is not None and value > most:
            yield f"{name}={value}: at most {most:,}"
    if 0 < spec.embed_dim * spec.mlp_ratio + _ROUNDING < 1:
        yield f"mlp_ratio={spec.mlp_ratio} makes the MLP's width 0 at embed_dim={spec.embed_dim}"
    for name in ("drop_path", "embed_dropout", "mixer_dropout", "mlp_dropout"):
        if not 0 <= getattr(spec, name) < 1:
            yield f"{name}={getattr(spec, name)}: must be at least 0 and below 1"
    if spec.layer_scale is not None and spec.layer_scale <= 0:
        yield f"layer_scale={spec.layer_scale}: must be positive, or null for none"
    if not 0 <= spec.num_registers <= MOST_TOKENS:
        yield f"num_registers={spec.num_registers}: must be from 0 to {MOST_TOKENS:,}"
    if max(spec.img_size) > MOST_PIXELS:
        yield f"img_size={list(spec.img_size)}: at most {MOST_PIXELS:,} pixels a side"
    elif min(*spec.img_size, *spec.patch_size) > 0:
        cut = spec.patch_size if spec.patch_embed.cuts_patches else (1, 1)
        if (tokens := (spec.img_size[0] // cut[0]) * (spec.img_size[1] // cut[1])) > MOST_TOKENS:
            yield f"img_size={list(spec.img_size)}: {tokens:,} patches of {list(cut)}, and at most {MOST_TOKENS:,}"
    for axis, pixels, patch in zip(("rows", "columns"), spec.img_size, spec.patch_size, strict=True):
        if patch <= 0 or pixels <= 0 or (spec.patch_embed.cuts_patches and pixels % patch):
            yield f"patch_size={patch} does not divide img_size={pixels} ({axis}){_divisors(pixels)}"
    if spec.head_dim is None and spec.num_heads > 0 and spec.embed_dim % spec.num_heads:
        legal = _divisors(spec.embed_dim)
        yield f"num_heads={spec.num_heads} does not divide embed_dim={spec.embed_dim}{legal}, or any with head_dim set"


def _parts(spec: ViTSpec) -> Iterator[str]:
    positions, mixer = f"pos_embed={spec.pos_embed.name}", f"mixer={spec.mixer.name}"
    attention = f"attention={spec.attention.name}"
    if spec.pos_embed.gives_bias and spec.mixer.uses_attention and not spec.attention.accepts_bias:
        legal = _named(AttentionSpec, lambda part: part.accepts_bias)
        yield f"{positions} adds a bias to attention logits, and {attention} has none; works with: {legal}"
    if (spec.pos_embed.gives_bias or spec.pos_embed.rotates) and not spec.mixer.has_logits:
        legal = _named(MixerSpec, lambda part: part.has_logits)
        yield f"{positions} acts on queries and keys, and {mixer} has none; works with: {legal}"
    if spec.pool.needs_cls_token and not spec.cls_token:
        legal = _named(PoolSpec, lambda part: not part.needs_cls_token)
        yield f"pool={spec.pool.name} reads the cls token, and cls_token=False leaves it out; works without: {legal}"
    if spec.dist_token and spec.pool.times_wider > 1:
        legal = _named(PoolSpec, lambda part: part.times_wider == 1)
        yield f"dist_token=True has one token for its head, and pool={spec.pool.name} more; works with: {legal}"
    if spec.auxiliary.needs_patches and not spec.patch_embed.cuts_patches:
        legal = _named(PatchEmbedSpec, lambda part: part.cuts_patches)
        auxiliary, patch_embed = f"auxiliary={spec.auxiliary.name}", f"patch_embed={spec.patch_embed.name}"
        yield f"{auxiliary} needs patches, and {patch_embed} makes every pixel a token; works with: {legal}"
    if spec.init.head_bias is not None and not spec.head.has_bias:
        legal = _named(HeadSpec, lambda part: part.ends_linear)
        yield f"init.head_bias={spec.init.head_bias}: this head={spec.head.name} has no bias; heads that may: {legal}"
    if spec.init.zero_head and not spec.head.ends_linear:
        yield f"init.zero_head=True: head={spec.head.name} cannot start from zero; set init.zero_head=False"
    dims = spec.dims()
    for part in spec.parts():
        if (conflict := part.conflict(dims)) is not None:
            yield conflict


def _divisors(size: int) -> str:
    """What would be legal where a number must divide `size`; nothing if `size` is what is wrong."""
    divisors = [str(number) for number in range(1, size + 1) if size % number == 0]
    return f"; legal: {', '.join(divisors)}" if divisors else ""


def _named(base: type[Component], fits: Callable[[Any], bool]) -> str:
    """The variants of a family that declare the right thing about themselves."""
    return ", ".join(name for name in component_names(base.family) if fits(component_class(base, name)))
