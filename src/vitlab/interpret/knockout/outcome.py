"""What knock-outs came to: changes of accuracy, loss and answers, with intervals, corrected for how many were tried.

    delta_top1     share of images that are right without the part, less that with it; below 0: it helped
    low, high      95 % of the bootstrap over images (Efron 1979): images are drawn anew, the same for all parts
    p              of "it makes no difference to what is right": the images that only one of both has right are as often
                   of the one as of the other (McNemar's test, exact)
    p_adjusted     the same, by Holm's correction over all parts that were tried

With several seeds of one run, each with a model of its own, intervals and p are over seeds and images
(`stats.crossed`): what holds for models trained so, and not for this one. That asks a question of layers and tokens;
head 2 of one seed has nothing in common with head 2 of another but its number.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from vitlab.interpret.knockout.measure import Measured, Replacement
from vitlab.interpret.knockout.parts import Kind, Knockout
from vitlab.stats.corrections import holm
from vitlab.stats.crossed import ScoreTable, contrast

_RESAMPLES = 2_000
_ENDS = (0.025, 0.975)
_AT_ONCE = 200  # resamples, of which the weights are kept
Array = np.ndarray[Any, np.dtype[np.float64]]


class Effect(NamedTuple):
    """What one knock-out came to; shares as fractions, losses in nats."""

    site: str
    kind: Kind
    layer: int | None
    delta_top1: float
    low: float
    high: float
    p_adjusted: float
    delta_loss: float
    loss_low: float
    loss_high: float
    agreement: float  # the share of images that get the answer of the whole model


class KnockoutOutcome(NamedTuple):
    """All knock-outs, the largest loss of accuracy first; the whole model's accuracy and loss; and how it was done."""

    top1: float
    loss: float
    images: int
    runs: int
    replacement: Replacement
    effects: tuple[Effect, ...]
    blocks: int
    needed: int

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        values = self._asdict()
        return {"knockouts": [effect._asdict() for effect in values.pop("effects")], **values}


def outcome(
    parts: Sequence[Knockout], measured: Sequence[Measured], replacement: Replacement, seed: int = 0
) -> KnockoutOutcome:
    """Of the same parts of one model, or of several seeds' models on the same images, one `measured` each."""
    right, loss, agrees = (
        np.stack([getattr(run, name).double().numpy() for run in measured]) for name in Measured._fields[:3]
    )
    top1, losses = (values - values[:, :1] for values in (right, loss))
    several = len(measured) > 1
    ends = [_over_seeds(changes) if several else _bootstrapped(changes[0], seed) for changes in (top1, losses)]
    p = [_p_crossed(top1[:, at]) if several else _mcnemar(top1[0, at]) for at in range(1, top1.shape[1])]
    adjusted = holm(p)
    effects = [
        Effect(
            part.site,
            part.kind,
            None if part.layer < 0 else part.layer,
            float(top1[:, at].mean()),
            *ends[0][at],
            float(adjusted[at - 1] or 0.0),
            float(losses[:, at].mean()),
            *ends[1][at],
            float(agrees[:, at].mean()),
        )
        for at, part in enumerate(parts, 1)
    ]
    return KnockoutOutcome(
        float(right[:, 0].mean()),
        float(loss[:, 0].mean()),
        right.shape[2],
        len(measured),
        replacement,
        tuple(sorted(effects, key=lambda effect: (effect.delta_top1, -effect.delta_loss))),
        sum(run.blocks for run in measured),
        sum(run.needed for run in measured),
    )


def _bootstrapped(changes: Array, seed: int) -> list[tuple[float, float]]:
    """[K, n] -> the ends of each mean, over images."""
    images = changes.shape[1]
    generator = np.random.default_rng(seed)
    means = []
    for start in range(0, _RESAMPLES, _AT_ONCE):
        count = min(_AT_ONCE, _RESAMPLES - start)
        weights = generator.multinomial(images, np.full(images, 1 / images), size=count)
        means.append(weights @ changes.T / images)
    low, high = np.quantile(np.concatenate(means), _ENDS, axis=0)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _over_seeds(changes: Array) -> list[tuple[float, float]]:
    """[runs, K, n] -> the ends of each mean, over seeds and images."""
    ends = []
    for at in range(changes.shape[1]):
        table = changes[:, at]
        interval = contrast([ScoreTable(table.mean(1), table)], [1.0]).interval()
        value = float(table.mean())
        ends.append((interval.low, interval.high) if interval else (value, value))
    return ends


def _p_crossed(table: Array) -> float:
    """[runs, n]"""
    p = contrast([ScoreTable(table.mean(1), table)], [1.0]).p()
    return 0.0 if p is None else p  # nothing varies, and it is not 0


def _mcnemar(changes: Array) -> float:
    """[n] of -1, 0 and 1"""
    worse, better = int((changes < 0).sum()), int((changes > 0).sum())
    return float(stats.binomtest(worse, worse + better).pvalue) if worse + better else 1.0
