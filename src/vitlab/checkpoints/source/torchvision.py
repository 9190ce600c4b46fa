"""torchvision's `VisionTransformer` (`torchvision/models/vision_transformer.py`), in both spellings of its MLP.

    encoder.layers.encoder_layer_{i}.self_attention.in_proj_weight    q, k and v, as in our `qkv`
    encoder.layers.encoder_layer_{i}.mlp.0, mlp.3                     in older files `mlp.linear_1`, `mlp.linear_2`
    heads.pre_logits                                                  with a `representation_size`

Norms have an eps of 1e-6. B has 12 attention heads, L and H have 16. Weights for 224 pixels were evaluated with 224 of
256 pixels a side, resized bilinearly, larger ones whole and bicubically; exceptions, which no tensor tells, are L/16's
first (242) and those of SWAG at 224 with a linear classifier (224, bicubic). Models with a convolutional stem (arXiv
2106.14881) are not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vitlab.checkpoints.source._base import Content, SourceSpec
from vitlab.checkpoints.source._prepared import CROP, imagenet_preprocessing, is_large
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing

_OURS, _THEIRS = "blocks.{i}.", "encoder.layers.encoder_layer_{i}."
_ROWS = (
    Row("cls_token", "class_token"),
    Row("pos_embed.weight", "encoder.pos_embedding"),
    Row("patch_embed.proj.{p}", "conv_proj.{p}"),
    Row(_OURS + "norm1.{p}", _THEIRS + "ln_1.{p}"),
    Row(_OURS + "attn.qkv.{p}", _THEIRS + "self_attention.in_proj_{p}"),
    Row(_OURS + "attn.proj.{p}", _THEIRS + "self_attention.out_proj.{p}"),
    Row(_OURS + "norm2.{p}", _THEIRS + "ln_2.{p}"),
    Row(_OURS + "mlp.fc1.{p}", _THEIRS + "mlp.0.{p}"),
    Row(_OURS + "mlp.fc2.{p}", _THEIRS + "mlp.3.{p}"),
    Row(_OURS + "mlp.fc1.{p}", _THEIRS + "mlp.linear_1.{p}"),
    Row(_OURS + "mlp.fc2.{p}", _THEIRS + "mlp.linear_2.{p}"),
    Row("norm.{p}", "encoder.ln.{p}"),
    Row("head.logits.{p}", "heads.head.{p}", beside="heads.pre_logits.weight"),
    Row("head.pre_logits.{p}", "heads.pre_logits.{p}"),
    Row("head.{p}", "heads.head.{p}"),
)


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "torchvision"
    prepares_alike: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        return content.has("class_token", "encoder.pos_embedding")

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        return _ROWS

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        if is_large(spec):
            return imagenet_preprocessing(content, spec, 1.0)
        return imagenet_preprocessing(content, spec, CROP, "bilinear")
