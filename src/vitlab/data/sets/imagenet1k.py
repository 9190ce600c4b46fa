"""ImageNet-1k: 1,281,167 training and 50,000 validation pictures of 1000 classes (ILSVRC 2012, arXiv 1409.0575)."""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.base.spec import whereabouts
from vitlab.data.sets._folder import FolderSpec


@dataclass(frozen=True, kw_only=True)
class Spec(FolderSpec):
    """A folder with `train/` and `val/`; that all of it is there is known without a look, so plans can be made."""

    num_train: ClassVar[int] = 1_281_167

    path: str = whereabouts("imagenet")
    num_classes: int | None = 1000
