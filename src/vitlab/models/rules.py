"""Which parts fit together. Each rule looks at a spec and says what is wrong, naming both settings.

A part's own needs (a width that sinusoids can split, say) are its `conflict`; here stand the rules between families,
stated on what a part declares about itself and never on its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vitlab.base.spec import Component, component_class, component_names
from vitlab.nn.attention._base import AttentionSpec
from vitlab.nn.head._base import HeadSpec
from vitlab.nn.mixer._base import MixerSpec
from vitlab.nn.patch_embed._base import PatchEmbedSpec
from vitlab.nn.pool._base import PoolSpec

if TYPE_CHECKING:
    from vitlab.models.vit import ViTSpec


def broken(spec: ViTSpec) -> Iterator[str]:
    """Every rule that `spec` breaks, as a message; none if the model can be built."""
    sizes = list(_sizes(spec))
    yield from sizes
    if not sizes:  # the parts may divide by them
        yield from _parts(spec)


def _sizes(spec: ViTSpec) -> Iterator[str]:
    positive = ("in_chans", "num_classes", "embed_dim", "depth", "num_heads", "mlp_ratio")
    for name in positive:
        if getattr(spec, name) <= 0:
            yield f"{name}={getattr(spec, name)}: must be positive"
    if spec.mlp_ratio > 0 and spec.embed_dim > 0 and round(spec.embed_dim * spec.mlp_ratio) == 0:
        yield f"mlp_ratio={spec.mlp_ratio} leaves the MLP no width at embed_dim={spec.embed_dim}"
    for name in ("drop_path", "embed_dropout", "mixer_dropout", "mlp_dropout"):
        if not 0 <= getattr(spec, name) < 1:
            yield f"{name}={getattr(spec, name)}: must be at least 0 and below 1"
    if spec.layer_scale is not None and spec.layer_scale <= 0:
        yield f"layer_scale={spec.layer_scale}: must be positive, or null for none"
    if spec.num_registers < 0:
        yield f"num_registers={spec.num_registers}: must not be negative"
    for axis, pixels, patch in zip(("rows", "columns"), spec.img_size, spec.patch_size, strict=True):
        if patch <= 0 or pixels <= 0 or (spec.patch_embed.cuts_patches and pixels % patch):
            yield f"patch_size={patch} does not divide img_size={pixels} ({axis}){_divisors(pixels)}"
    if spec.head_dim is not None and spec.head_dim <= 0:
        yield f"head_dim={spec.head_dim}: must be positive"
    elif spec.head_dim is None and spec.num_heads > 0 and spec.embed_dim % spec.num_heads:
        legal = _divisors(spec.embed_dim)
        yield f"num_heads={spec.num_heads} does not divide embed_dim={spec.embed_dim}{legal}, or any with head_dim set"


def _parts(spec: ViTSpec) -> Iterator[str]:
    positions, mixer = f"pos_embed={spec.pos_embed.name}", f"mixer={spec.mixer.name}"
    attention = f"attention={spec.attention.name}"
    if spec.pos_embed.gives_bias and spec.mixer.uses_attention and not spec.attention.accepts_bias:
        legal = _named(AttentionSpec, lambda each: each.accepts_bias)
        yield f"{positions} adds a bias to attention logits, and {attention} has none; with: {legal}"
    if (spec.pos_embed.gives_bias or spec.pos_embed.rotates) and not spec.mixer.has_logits:
        legal = _named(MixerSpec, lambda each: each.has_logits)
        yield f"{positions} acts on queries and keys, and {mixer} has none; with: {legal}"
    if spec.pool.needs_cls_token and not spec.cls_token:
        legal = _named(PoolSpec, lambda each: not each.needs_cls_token)
        yield f"pool={spec.pool.name} reads the cls token, and cls_token=False leaves it out; without: {legal}"
    if spec.auxiliary.needs_patches and not spec.patch_embed.cuts_patches:
        legal = _named(PatchEmbedSpec, lambda each: each.cuts_patches)
        auxiliary, patch_embed = f"auxiliary={spec.auxiliary.name}", f"patch_embed={spec.patch_embed.name}"
        yield f"{auxiliary} leads from the image to patches, and {patch_embed} makes every pixel a token; with: {legal}"
    if not spec.head.ends_linear:
        if spec.init.head_bias is not None:
            legal = _named(HeadSpec, lambda each: each.ends_linear)
            yield f"init.head_bias={spec.init.head_bias}: head={spec.head.name} has no bias; with one: {legal}"
        if spec.init.zero_head:
            yield f"init.zero_head=True: head={spec.head.name} cannot start from zero; init.zero_head=False lets it"
    dims = spec.dims()
    for part in spec.parts():
        if (conflict := part.conflict(dims)) is not None:
            yield conflict


def _divisors(size: int) -> str:
    """What would be legal where a number must divide `size`; nothing if `size` is what is wrong."""
    found = [str(number) for number in range(1, size + 1) if size % number == 0]
    return f"; legal: {', '.join(found)}" if found else ""


def _named(base: type[Component], fits: Callable[[Any], bool]) -> str:
    """The variants of a family that declare the right thing about themselves."""
    return ", ".join(name for name in component_names(base.family) if fits(component_class(base, name)))
