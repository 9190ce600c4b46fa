"""The contract of a start: the weights that a run begins with. It is part of the run, and of its id.

    fitted(model)        -> the model as it can begin there: computed positions keep the range that they were trained on
    resolved()           -> the same start with what only a look at its source tells written in: a checksum
    begin(model, drawn, class_names)  -> Beginning: the tensors to begin with, and which of them are as drawn

Whatever a run starts from, its initial weights are drawn first, so a tensor that the source does not give, or that is
to begin anew, is what it would be without a source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from torch import Tensor

from vitlab.base.spec import Component
from vitlab.models.spec import ViTSpec


class Beginning(NamedTuple):
    """The weights of a model at its start, by name. `anew`: those that do not come from the source, and `why` not;
    `changed`: what was done to those that do, in sentences.
    """

    tensors: dict[str, Tensor]
    anew: tuple[str, ...] = ()
    why: str = ""
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class StartSpec(Component):
    """A start's settings."""

    family: ClassVar[str] = "vitlab.train.start"
    from_source: ClassVar[bool] = True  # False: there is no source, everything is drawn

    def resolved(self) -> Self:
        """The start with what its source tells written in. Raises CheckpointError if there is no such source."""
        return self

    def fitted(self, model: ViTSpec) -> ViTSpec:
        """The model with what follows from where it begins. Raises CheckpointError if there is no such source."""
        return model

    def check(self, model: ViTSpec) -> None:
        """Refuse a source of other weights before anything that takes its time. Raises CheckpointError."""

    def begin(self, model: ViTSpec, drawn: Mapping[str, Tensor], class_names: Sequence[str] = ()) -> Beginning:
        """The weights to begin with, given those that were drawn; `class_names` are those of the run's classes, where
        they are known. Raises CheckpointError naming what does not fit.
        """
        raise NotImplementedError
