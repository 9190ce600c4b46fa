"""PyTorch-Pretrained-ViT (lukemelas, package `pytorch_pretrained_vit`): Google's weights under names of its own.

    transformer.blocks.{i}.attn.proj_q, proj_k, proj_v    q, k and v apart
    transformer.blocks.{i}.proj                           what follows the attention
    pre_logits                                            in weights of ImageNet-21k

Norms have an eps of 1e-6, GELU is the exact one. Pictures are resized to a square, whatever their sides, bilinearly as
torchvision does by default, and normalised to [-1, 1] (its README). With `load_repr_layer=True` the library computes
norm(tanh(pre_logits x)): its slip, since the weights are Google's, who trained tanh(pre_logits(norm x)). They are read
as they were trained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vitlab.checkpoints.source._base import Content, SourceSpec
from vitlab.checkpoints.source._prepared import half_preprocessing
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing

_OURS, _THEIRS = "blocks.{i}.", "transformer.blocks.{i}."
_ROWS = (
    Row("cls_token", "class_token"),
    Row("pos_embed.weight", "positional_embedding.pos_embedding"),
    Row("patch_embed.proj.{p}", "patch_embedding.{p}"),
    Row(_OURS + "norm1.{p}", _THEIRS + "norm1.{p}"),
    Row(_OURS + "attn.qkv.{p}", tuple(_THEIRS + f"attn.proj_{each}.{{p}}" for each in "qkv")),
    Row(_OURS + "attn.proj.{p}", _THEIRS + "proj.{p}"),
    Row(_OURS + "norm2.{p}", _THEIRS + "norm2.{p}"),
    Row(_OURS + "mlp.{layer}.{p}", _THEIRS + "pwff.{layer}.{p}"),
    Row("norm.{p}", "norm.{p}"),
    Row("head.logits.{p}", "fc.{p}", beside="pre_logits.weight"),
    Row("head.pre_logits.{p}", "pre_logits.{p}"),
    Row("head.{p}", "fc.{p}"),
)
_NOTE = "pre_logits behind the norm, as the weights were trained; the library itself has them the other way round"


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "PyTorch-Pretrained-ViT"
    prepares_alike: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        return content.has("patch_embedding.weight", "positional_embedding.pos_embedding")

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        return _ROWS

    def notes(self, content: Content) -> tuple[str, ...]:
        return (_NOTE,) if content.has("pre_logits.weight") else ()

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        return half_preprocessing(content, spec)
