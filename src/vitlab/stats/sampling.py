"""The test set's error beside the seeds': two different questions about the same accuracy.

    seed error        s/√n over n seeds                 what other seeds would score on these very images
    test-set error    √(a(1 - a)/m) for m images        what these runs would score on other images

All runs of a study see the same test images. So more seeds make the first smaller and leave the second as it is: 10,000
images at 90 % have 0.3 points, whether one run was tested or a hundred. For n runs √(a(1 - a)/m) is an upper bound
(images differ in how many of the runs are right), and the whole error is at most the root of the sum of both squares.

In a *difference* between two cells most of the test set's error cancels, because both see the same images: what is left
needs the answers to single images (`images_error`), and comparing two cells' test-set errors would overstate it.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from vitlab.base.errors import UserError
from vitlab.stats.intervals import LEVEL, Interval, spread, t_interval
from vitlab.stats.validation import count, largest, numbers, only, share


@dataclass(frozen=True)
class AccuracyErrors:
    """A mean accuracy with both of its standard errors and intervals. None has its reason in `reasons`."""

    n: int
    images: int
    mean: float
    seed_error: float | None
    test_set_error: float
    seed_interval: Interval | None  # t
    test_set_interval: Interval  # Wilson: it has a width even where every image or none is right
    reasons: dict[str, str] = field(default_factory=dict)


def accuracy_errors(
    accuracies: ArrayLike, images: int, name: str = "accuracies", *, level: float = LEVEL
) -> AccuracyErrors:
    """Both errors of the mean of `accuracies` (fractions, one a seed), all measured on the same `images`."""
    given, images, level = numbers(name, accuracies), count("images", images, 1), share("level", level)
    if not given.size:
        raise UserError(f"{name}: no value")
    if ((given < 0) | (given > 1)).any():
        raise UserError(f"{name}: {given[(given < 0) | (given > 1)][0]} is no fraction between 0 and 1")
    scale, mean = largest(given), float(given.mean())
    std, no_std = spread(given, scale)
    interval, no_interval = t_interval(given, scale, level)
    return AccuracyErrors(
        n=len(given),
        images=images,
        mean=mean,
        seed_error=None if std is None else std / len(given) ** 0.5,
        test_set_error=(mean * (1 - mean) / images) ** 0.5,
        seed_interval=interval,
        test_set_interval=wilson(mean, images, level),
        reasons=only(seed_error=no_std, seed_interval=no_interval),
    )


def images_error(per_image: ArrayLike) -> float:
    """The test set's standard error of a mean over images, from one number an image.

    The number is the share of a cell's runs that are right, or the difference of two cells' shares, image by image: the
    latter gives the test set's error of the difference.
    """
    values = numbers("per_image", per_image)
    if len(values) < 2:
        raise UserError(f"per_image: {len(values)} images have no spread")
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def wilson(accuracy: float, images: int, level: float) -> Interval:
    """The accuracies that would make the one seen no surprise (Wilson 1927)."""
    z2 = float(stats.norm.ppf((1 + level) / 2)) ** 2
    centre = (accuracy + z2 / (2 * images)) / (1 + z2 / images)
    half = (z2 * (accuracy * (1 - accuracy) / images + z2 / (4 * images**2))) ** 0.5 / (1 + z2 / images)
    return Interval(max(0.0, centre - half), min(1.0, centre + half), level, "Wilson")
