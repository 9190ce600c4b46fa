"""What evaluators have in common that classify by the features of training images."""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.base.errors import SpecError
from vitlab.evaluate._base import EvaluatorSpec, Split


@dataclass(frozen=True)
class ByTrainingImages(EvaluatorSpec):
    """Measured on a held-out split; `why_held_out` is why it would mean nothing on the training images themselves."""

    why_held_out: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.split == "train":
            raise SpecError(f"{self.name}.split=train: {self.why_held_out}; legal: val, test")

    @property
    def reads(self) -> tuple[Split, ...]:
        return ("train", self.split)
