"""The contract of a set of pictures: it says its sizes without opening anything, and loads itself."""

from dataclasses import dataclass
from typing import ClassVar, Self

from vitlab.base.errors import SpecError
from vitlab.base.spec import Component
from vitlab.data.decode import Fit
from vitlab.data.images import ImageSet, Splits, check


@dataclass(frozen=True)
class DataSpec(Component):
    """`mean`, `std`: what the pixels of each channel, between 0 and 1, are normalised with.

    A set of one size says `img_size`, `in_chans` and `num_classes` as class variables, one of any size as settings.
    """

    family: ClassVar[str] = "vitlab.data.sets"
    kind: ClassVar[str] = "data"

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def img_size(self) -> tuple[int, int]:
        """Rows, columns."""
        raise NotImplementedError

    @property
    def in_chans(self) -> int:
        """1 for grey pictures, 3 for colour."""
        raise NotImplementedError

    @property
    def num_classes(self) -> int | None:
        """None where only a look at the data tells: see `resolved`."""
        raise NotImplementedError

    @property
    def num_train(self) -> int | None:
        """Training images; None where only a look at the data tells. Plans are made of it, runs count."""
        return None

    @property
    def fit(self) -> Fit:
        """How a picture of another size is brought to the set's."""
        return "crop"

    def __post_init__(self) -> None:
        """Refuse a normalisation that does not fit the channels."""
        for field in ("mean", "std"):
            if len(getattr(self, field)) != self.in_chans:
                raise SpecError(f"{field}={getattr(self, field)}: {self.name} has {self.in_chans} channels")
        if min(self.std) <= 0:
            raise SpecError(f"std={self.std}: must be positive")

    def resolved(self) -> Self:
        """The same set with what only a look at the data tells written in. Raises DataError."""
        return self

    def read(self) -> Splits:
        """The two splits, and the classes' names. The test split is the official one where there is one."""
        raise NotImplementedError

    def load(self) -> ImageSet:
        """The set, checked. Raises DataError, which says what to do."""
        splits = self.read()
        check(splits)
        return ImageSet(
            train=splits.train,
            test=splits.test,
            class_names=splits.class_names,
            mean=self.mean,
            std=self.std,
            fit=self.fit,
            unreadable=splits.unreadable,
            order=splits.order,
        )
