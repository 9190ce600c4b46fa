"""The contract of a set of pictures: it says its sizes without opening anything, and loads itself decoded."""

from dataclasses import dataclass
from typing import ClassVar

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component
from vitlab.data.images import ImageSet, Splits, check


@dataclass(frozen=True)
class DataSpec(Component):
    """`mean`, `std`: what the pixels of each channel, between 0 and 1, are normalised with."""

    family: ClassVar[str] = "vitlab.data.sets"
    kind: ClassVar[str] = "data"
    img_size: ClassVar[tuple[int, int]]  # rows, columns
    in_chans: ClassVar[int]
    num_classes: ClassVar[int]

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse a normalisation that does not fit the channels."""
        for field in ("mean", "std"):
            if len(getattr(self, field)) != self.in_chans:
                raise SpecError(f"{field}={getattr(self, field)}: {self.name} has {self.in_chans} channels")
        if min(self.std) <= 0:
            raise SpecError(f"std={self.std}: must be positive")

    def read(self) -> Splits:
        """The two splits, decoded, and the classes' names. The test split is the official one where there is one."""
        raise NotImplementedError

    def load(self) -> ImageSet:
        """The set in memory, checked. Raises DataError, which says what to do."""
        splits = self.read()
        check(splits)
        return ImageSet(*splits, self.mean, self.std)
