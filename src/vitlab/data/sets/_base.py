"""The contract of a set of pictures: it says its sizes without opening anything, and loads itself."""

from dataclasses import dataclass
from typing import ClassVar, Self

from vitlab.base.errors import DataError, SpecError
from vitlab.base.spec import Component
from vitlab.base.words import counted, shortened
from vitlab.data.decode import Fit, Frame, Interpolation
from vitlab.data.images import ImageSet, Splits, check
from vitlab.data.look import look_at


@dataclass(frozen=True)
class DataSpec(Component):
    """`mean`, `std`: what the pixels of each channel, between 0 and 1, are normalised with. `train_fraction`: the share
    of every class's training pictures that is trained on; a smaller share is part of every larger one.

    A set of one size says `img_size`, `in_chans` and `num_classes` as class variables, one of any size as settings.
    """

    family: ClassVar[str] = "vitlab.data.sets"
    kind: ClassVar[str] = "data"

    mean: tuple[float, ...]
    std: tuple[float, ...]
    train_fraction: float = 1.0

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

    def count_train(self) -> int | None:
        """Training pictures, counted where they are not known beforehand; None where that cannot be told without
        decoding them. Raises DataError.
        """
        return self.num_train

    @property
    def fit(self) -> Fit:
        """How a picture of another size is brought to the set's."""
        return "crop"

    @property
    def interpolation(self) -> Interpolation:
        """How its pixels are interpolated then."""
        return "bicubic"

    @property
    def frame(self) -> Frame:
        """What a picture is decoded to."""
        return Frame(self.img_size, self.in_chans, self.fit, interpolation=self.interpolation)

    def __post_init__(self) -> None:
        """Refuse a normalisation that does not fit the channels, or is of other values."""
        for field in ("mean", "std"):
            values = getattr(self, field)
            if len(values) != self.in_chans:
                raise SpecError(
                    f"{field}={values}: {self.name} has {counted(self.in_chans, 'channel')}; set data.mean and "
                    f"data.std to {counted(self.in_chans, 'number')} each, of pixel values between 0 and 1"
                )
            if not 0 <= min(values) <= max(values) <= 1:
                raise SpecError(f"{field}={values}: is of pixel values between 0 and 1; divide by 255")
        if not 0 < self.train_fraction <= 1:
            raise SpecError(f"train_fraction={self.train_fraction}: must be above 0 and at most 1")
        if min(self.std) <= 0:
            raise SpecError(f"std={self.std}: must be positive")

    def resolved(self) -> Self:
        """The same set with what only a look at the data tells written in. Raises DataError."""
        return self

    def read(self) -> Splits:
        """The splits, and the classes' names. The test split is the official one where there is one."""
        raise NotImplementedError

    def read_held_out(self) -> Splits:
        """What a model is evaluated on, as the test split: of a set without a held-out split everything there is."""
        return self.read()

    def read_as_stored(self) -> Splits:
        """The splits, with training pictures of any size as they are stored: crops are taken of the whole of them."""
        return self.read()

    def look(self) -> ImageSet:
        """The set, checked. Raises DataError, which says what to do."""
        return self._checked(self.read())

    def load(self, as_stored: bool = False) -> ImageSet:
        """The set to train on, its pictures left `as_stored` on demand. Raises DataError if there is nothing to train
        on, or nothing to tell apart, too.
        """
        images = self._checked(self.read_as_stored()) if as_stored else self.look()
        if len(images.train) == 0:
            raise DataError("there is a test split only: a model can be evaluated on it, and none can be trained")
        if len(images.class_names) == 1:
            (only,) = images.class_names
            hint = self.where_else(only)
            raise DataError(f"there is one class only, {shortened(only, 200)}, and nothing to tell it from{hint}")
        return images

    def where_else(self, only: str) -> str:
        """Where the classes of a set may be in which one was found."""
        return ""

    def load_held_out(self) -> ImageSet:
        """The same for an evaluation, with an empty training split where none is needed."""
        return self._checked(self.read_held_out())

    def _checked(self, splits: Splits) -> ImageSet:
        check(splits)
        found, copies = (splits.found, splits.copies) if splits.found else look_at(splits)
        return ImageSet(
            train=splits.train,
            test=splits.test,
            class_names=splits.class_names,
            mean=self.mean,
            std=self.std,
            frame=self.frame,
            unreadable=splits.unreadable,
            order=splits.order,
            val=splits.val,
            copies=copies,
            found=found,
        )
