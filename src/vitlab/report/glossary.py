"""Words of the field that a page explains, where it has them."""

import re
from collections.abc import Iterable

WORDS = {
    "attention head": "one of several attentions that a block computes side by side",
    "cell": "one of the variants that a study compares, trained with every seed",
    "cls": "a learned token beside those of the patches, which the head may read in their place",
    "FLOPs": "floating-point operations; a multiplication with an addition counts as two",
    "Holm": "a correction for several claims at once: the chance that any verdict among them is false stays below 5 %",
    "interval": "between its ends the true value lies, as often as its percentage says",
    "mixer": "the part of a block in which tokens exchange what they hold: attention, or something in its place",
    "nats": "the unit of a loss with natural logarithms: 0 if sure and right, 2.3 for a guess among ten classes",
    "norm placement": "where a block normalises: before each branch (pre-norm), or after each sum (post-norm)",
    "patch": "a small square of the image, which becomes one token",
    "points": "percentage points: the difference of two shares in percent",
    "pooling": "how all tokens become the one vector that is classified: the cls token, or a mean of the patches",
    "position": "where a patch stands in the image; attention does not see it unless it is told",
    "register": "a learned token that nothing is read from: room to work in",
    "seed": "what a run draws its random numbers from: initial weights, order of the images, augmentation",
    "top-1": "the share of images whose likeliest class is the right one",
    "top-5": "the share of images whose right class is among the five likeliest",
}


def explained(texts: Iterable[str]) -> list[tuple[str, str]]:
    """The words that the texts have, alone or in the plural, with what they mean."""
    text = "\n".join(texts)
    return [(word, meaning) for word, meaning in WORDS.items() if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)]
