"""Which answers stand above the picture and which are folded away, so that the picture begins on the first screen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from vitlab.report.answers import Sentence

AT_ONCE = 6  # sentences above the picture


@dataclass(frozen=True)
class Folded:
    """The answers in two parts, and in words what the second has."""

    first: list[Sentence]
    rest: list[Sentence]
    more: str


def folded(*kinds: Sequence[Sentence]) -> Folded:
    """Of every kind of answer as many above the picture, what is decided before the rest; all if one would be left."""
    told = [kind for kind in kinds if kind]
    every = [sentence for kind in told for sentence in kind]
    if len(every) <= AT_ONCE + 1:
        return Folded(every, [], "")
    first = [sentence for kind in told for sentence in _first(kind, AT_ONCE // len(told))]
    rest = [sentence for sentence in every if not any(sentence is other for other in first)]
    return Folded(first, rest, _counted(rest))


def _first(sentences: Sequence[Sentence], number: int) -> list[Sentence]:
    """The first that are decided, then the first of the others, in the order in which they are told."""
    places = sorted(range(len(sentences)), key=lambda place: sentences[place].verdict not in ("worse", "better"))
    return [sentences[place] for place in sorted(places[:number])]


def _counted(sentences: Sequence[Sentence]) -> str:
    """'13 more: 2 worse, 11 not distinguishable'"""
    verdicts = Counter(sentence.verdict or "without a verdict" for sentence in sentences)
    if len(verdicts) == 1:
        return f"{len(sentences)} more, {next(iter(verdicts))}"
    return f"{len(sentences)} more: {', '.join(f'{number} {verdict}' for verdict, number in verdicts.items())}"
