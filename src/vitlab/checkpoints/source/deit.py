"""DeiT's own code (facebookresearch/deit): DeiT and its distilled form, and DeiT III (arXiv 2012.12877, 2204.07118).

Names are timm's, and so is the distilled form's function: the mean of what two heads say. DeiT III (`models_v2.py`) has
`gamma_1` and `gamma_2` for the layer scales, by which it is recognised, and no position for the cls token. The others
look like timm's; `--from deit` says how pictures were prepared: 224 of 256 pixels a side, larger ones in proportion
(`datasets.py`, by the default of `main.py`). Not read: forms of arXiv 2203.09795 with two attentions side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from vitlab.checkpoints.source._base import Content, SourceSpec
from vitlab.checkpoints.source._named_as_timm import BLOCK, EVERYTHING, PLAIN, whose
from vitlab.checkpoints.source._prepared import CROP, imagenet_preprocessing
from vitlab.checkpoints.source._rows import Row
from vitlab.models.spec import ViTSpec
from vitlab.preprocessing import Preprocessing

_LAYER_SCALES = (Row(BLOCK + "ls1.gamma", BLOCK + "gamma_1"), Row(BLOCK + "ls2.gamma", BLOCK + "gamma_2"))


@dataclass(frozen=True)
class Spec(SourceSpec):
    """No settings."""

    title: ClassVar[str] = "DeiT"
    prepares_alike: ClassVar[bool] = True

    def recognises(self, content: Content) -> bool:
        return whose(content) == self.name

    def rows(self, spec: ViTSpec | None) -> Sequence[Row]:
        return (*PLAIN, *_LAYER_SCALES, *EVERYTHING)

    def preprocessing(self, content: Content, spec: ViTSpec) -> Preprocessing:
        return imagenet_preprocessing(content, spec, CROP)
