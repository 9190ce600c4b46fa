"""DINO's own code (facebookresearch/dino, `vision_transformer.py`; arXiv 2104.14294): backbones, and whole trainings.

Names are timm's, without a classifier: the model gives features. A whole training holds `student` and `teacher`; say
which, as in checkpoint.pth#teacher. Their projection head is left out, and tells that they are DINO's; a backbone alone
looks like timm's, which is the same function, and `--from dino` says how its pictures were prepared. Evaluated there
with pictures of which 224 of 256 pixels a side are cut out (`eval_linear.py`). Linear classifiers are files apart, of
which several read more than one block: they are not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vitlab.checkpoints.source._base import Content, SourceSpec
from vitlab.checkpoints.source._named_as_timm import EVERYTHING, PLAIN, whose
from vitlab.checkpoints.source._prepared import CROP, imagenet_preprocessing
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "DINO"
    prepares_alike: ClassVar[bool] = True
    ignored: ClassVar[tuple[str, ...]] = ("head.mlp.*", "head.last_layer.*")

    def recognises(self, content: Content) -> bool:
        return whose(content) == self.name

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        return (*PLAIN, *EVERYTHING)

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        return imagenet_preprocessing(content, spec, CROP)
