"""Sets of pictures of any size: how they are decoded, and what only a look at the data tells."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from vitlab.base.errors import DataError, SpecError
from vitlab.base.spec import added
from vitlab.data.decode import MAX_PIXELS, Fit, Frame, Interpolation
from vitlab.data.images import Splits
from vitlab.data.ingest import Rules, Source, ingest
from vitlab.data.roles import check_roles
from vitlab.data.sets._base import DataSpec

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The same in grey: weighted as brightness is (.299, .587, .114), since the three channels rise and fall together
GREY_MEAN, GREY_STD = (0.459,), (0.226,)
BAND_MEAN, BAND_STD = (0.5,), (0.25,)  # of a band of which nothing is known


@dataclass(frozen=True, kw_only=True)
class PicturesSpec(DataSpec):
    """Pictures are decoded to `img_size`, `fit` and `interpolation` say how. The normalisation is ImageNet's unless
    another is given.

    1 channel is grey and 3 are colour; of another number a picture's bands are taken as they are, none as transparency.
    `white` is the value that is white (null: 255 of 8 bits, 65,535 of more, 1 of floating point).
    """

    img_size: tuple[int, int] = (224, 224)
    in_chans: int = 3
    num_classes: int | None = None  # None: as many as a look at the data finds
    fit: Fit = "crop"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    splits: Mapping[str, str] | None = None  # the names of train, val and test; {}: there are none; None: as usual
    held_out: str | None = None  # the split that is the test; None: the one that is called so, or validation
    test_fraction: float = 0.1  # of every class, for a set without a held-out split; which pictures never changes
    white: float | None = None
    max_pixels: int = MAX_PIXELS  # a picture of more is unreadable: a few bytes can be packed to fill the memory
    max_unreadable: float = 0.01  # the share of a split's pictures that may be left out because they are unreadable
    interpolation: Interpolation = added("bicubic")

    def __post_init__(self) -> None:
        if self.in_chans < 1:
            raise SpecError(f"in_chans={self.in_chans}: must be positive")
        for field, colour, grey, bands in (
            ("mean", IMAGENET_MEAN, GREY_MEAN, BAND_MEAN),
            ("std", IMAGENET_STD, GREY_STD, BAND_STD),
        ):
            if self.in_chans != len(colour) and getattr(self, field) == colour:
                object.__setattr__(self, field, grey if self.in_chans == 1 else bands * self.in_chans)
        super().__post_init__()
        if min(self.img_size) < 1:
            raise SpecError(f"img_size={self.img_size}: must be positive")
        if self.num_classes is not None and self.num_classes < 1:
            raise SpecError(f"num_classes={self.num_classes}: must be positive, or null to count them")
        if not 0 < self.test_fraction < 1:
            raise SpecError(f"test_fraction={self.test_fraction}: must be above 0 and below 1")
        if (odd := check_roles(self.splits)) is not None:
            raise SpecError(odd)
        if self.splits is not None and self.held_out is not None:
            raise SpecError(f"splits={dict(self.splits)} and held_out={self.held_out}: set one of them")
        if self.white is not None and self.white <= 0:
            raise SpecError(f"white={self.white}: must be positive, or null")
        if self.max_pixels < 1:
            raise SpecError(f"max_pixels={self.max_pixels}: must be positive")
        if not 0 <= self.max_unreadable < 1:
            raise SpecError(f"max_unreadable={self.max_unreadable}: must be at least 0 and below 1")

    @property
    def frame(self) -> Frame:
        """What a picture is decoded to."""
        return Frame(self.img_size, self.in_chans, self.fit, self.white, self.max_pixels, self.interpolation)

    def source(self) -> Source:
        """Where the pictures come from. Raises DataError."""
        raise NotImplementedError

    def class_names(self) -> tuple[str, ...]:
        """The classes, found without decoding anything. Raises DataError."""
        raise NotImplementedError

    def resolved(self) -> Self:
        return self if self.num_classes is not None else replace(self, num_classes=len(self.class_names()))

    def count_train(self) -> int | None:
        return len(self.source().open().splits["train"])

    def read(self) -> Splits:
        return self._ingested(self._rules)

    def read_held_out(self) -> Splits:
        return self._ingested(self._rules._replace(test_fraction=None))

    def read_as_stored(self) -> Splits:
        return self._ingested(self._rules._replace(as_stored=True))

    @property
    def _rules(self) -> Rules:
        return Rules(self.test_fraction, self.max_unreadable)

    def _ingested(self, rules: Rules) -> Splits:
        splits = ingest(self.source(), self.frame, rules)
        self.check_classes(splits.class_names)
        return splits

    def check_classes(self, names: tuple[str, ...]) -> None:
        """Raise DataError if there are not as many classes as the settings say."""
        if self.num_classes not in (None, len(names)):
            first = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            raise DataError(f"data.num_classes={self.num_classes}, and there are {len(names)} classes: {first}")
