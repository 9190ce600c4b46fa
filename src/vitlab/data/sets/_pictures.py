"""Sets of pictures of any size: how they are decoded, and what only a look at the data tells."""

from dataclasses import dataclass, replace
from typing import Self

from vitlab.base.errors import DataError, SpecError
from vitlab.data.decode import Fit, Frame
from vitlab.data.images import Splits
from vitlab.data.ingest import Source, ingest
from vitlab.data.sets._base import DataSpec

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The same in grey: weighted as brightness is (.299, .587, .114), since the three channels rise and fall together
GREY_MEAN, GREY_STD = (0.459,), (0.226,)


@dataclass(frozen=True, kw_only=True)
class PicturesSpec(DataSpec):
    """Pictures are decoded to `img_size`, `fit` says how. The normalisation is ImageNet's unless another is given."""

    img_size: tuple[int, int] = (224, 224)
    in_chans: int = 3
    num_classes: int | None = None  # None: as many as a look at the data finds
    fit: Fit = "crop"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    held_out: str | None = None  # the split that is the test; None: the first of test, validation, val, valid
    test_fraction: float = 0.1  # of every class, for a set without a held-out split; which pictures never changes

    def __post_init__(self) -> None:
        if self.in_chans not in (1, 3):
            raise SpecError(f"in_chans={self.in_chans}: pictures are decoded to 1 channel (grey) or 3 (colour)")
        for field, colour, grey in (("mean", IMAGENET_MEAN, GREY_MEAN), ("std", IMAGENET_STD, GREY_STD)):
            if self.in_chans == 1 and getattr(self, field) == colour:
                object.__setattr__(self, field, grey)
        super().__post_init__()
        if min(self.img_size) < 1:
            raise SpecError(f"img_size={self.img_size}: must be positive")
        if self.num_classes is not None and self.num_classes < 1:
            raise SpecError(f"num_classes={self.num_classes}: must be positive, or null to count them")
        if not 0 < self.test_fraction < 1:
            raise SpecError(f"test_fraction={self.test_fraction}: must be above 0 and below 1")

    @property
    def frame(self) -> Frame:
        """What a picture is decoded to."""
        return Frame(self.img_size, self.in_chans, self.fit)

    def source(self) -> Source:
        """Where the pictures come from. Raises DataError."""
        raise NotImplementedError

    def class_names(self) -> tuple[str, ...]:
        """The classes, found without decoding anything. Raises DataError."""
        raise NotImplementedError

    def resolved(self) -> Self:
        return self if self.num_classes is not None else replace(self, num_classes=len(self.class_names()))

    def read(self) -> Splits:
        splits = ingest(self.source(), self.frame, self.test_fraction)
        self.check_classes(splits.class_names)
        return splits

    def check_classes(self, names: tuple[str, ...]) -> None:
        """Raise DataError if there are not as many classes as the settings say."""
        if self.num_classes not in (None, len(names)):
            first = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
            raise DataError(f"data.num_classes={self.num_classes}, and there are {len(names)} classes: {first}")
