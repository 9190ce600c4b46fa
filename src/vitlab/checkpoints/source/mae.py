"""MAE's own code (facebookresearch/mae, `models_mae.py` and `models_vit.py`; arXiv 2111.06377).

Names are timm's. Of a pretraining the decoder is left out, by which it is recognised, and the encoder has no
classifier; its positions are fixed sines and cosines, and here become a learned table with their values. A fine-tuned
model classifies the mean of the patches, with a norm behind it (`fc_norm`), or the cls token. It looks like timm's, as
does an encoder alone, and is the same function; `--from mae` says how its pictures were prepared (`util/datasets.py`).
Not read are classifiers of linear probes, which stand behind a batch norm (`head.0`, `head.1`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vitlab.checkpoints.source._base import Content, SourceSpec
from vitlab.checkpoints.source._named_as_timm import EVERYTHING, PLAIN, whose
from vitlab.checkpoints.source._prepared import imagenet_preprocessing_whole_if_large
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "MAE"
    prepares_alike: ClassVar[bool] = True
    ignored: ClassVar[tuple[str, ...]] = ("decoder_*", "mask_token")

    def recognises(self, content: Content) -> bool:
        return whose(content) == self.name

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        return (*PLAIN, *EVERYTHING)

    def notes(self, content: Content) -> tuple[str, ...]:
        if content.has("head.weight"):
            return ()
        return ("its fixed positions of sines and cosines as a learned table with their values",)

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        return imagenet_preprocessing_whole_if_large(content, spec)
