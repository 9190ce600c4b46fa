"""Training from scratch: all weights are initialised by `model.init`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vitlab.models.spec import ViTSpec
from vitlab.train.start._base import Beginning, StartSpec


@dataclass(frozen=True)
class Spec(StartSpec):
    """No settings."""

    from_source: ClassVar[bool] = False

    def begin(self, model: ViTSpec, drawn: Mapping[str, Tensor], class_names: Sequence[str] = ()) -> Beginning:
        return Beginning(dict(drawn))
