"""Words of the field that a page explains, where it has them."""

import re
from collections.abc import Iterable

WORDS = {
    "cell": "one of the variants that a study compares, trained with every seed",
    "cls": "a learned token beside those of the patches, which the head may read in their place",
    "nats": "the unit of a loss with natural logarithms: 0 if sure and right, 2.3 for a guess among ten classes",
    "points": "percentage points: the difference of two shares in percent",
    "seed": "what a run draws its random numbers from: initial weights, order of the images, augmentation",
    "top-1": "the share of images whose likeliest class is the right one",
    "top-5": "the share of images whose right class is among the five likeliest",
}


def explained(texts: Iterable[str]) -> list[tuple[str, str]]:
    """The words that the texts have, alone or in the plural, with what they mean."""
    text = "\n".join(texts)
    return [(word, meaning) for word, meaning in WORDS.items() if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)]
