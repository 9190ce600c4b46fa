"""Figures by layer: distance, entropy, lengths of tokens, likeness, logits, knock-outs."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from vitlab.base.errors import SpecError
from vitlab.interpret.knockout.curve import Curve
from vitlab.interpret.knockout.outcome import KnockoutOutcome
from vitlab.interpret.logits import Attribution
from vitlab.interpret.plots._figure import ACCENT, MUTED, SECOND, chart, heat, numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PERCENT = 100
_SHOWN = 8  # classes of a logit lens


def plot_by_layer(values: Tensor, unit: str) -> "Figure":
    """[depth, H], or [depth, B, H] of several images, of which the mean is shown: a point for each head, a line for
    the mean over heads. For `attention_distance` and `attention_entropy`, whose `unit` is pixels or nats.
    """
    heads = numbers(values if values.ndim == 2 else values.mean(1))
    drawn, axes = chart("block", unit)
    for head in heads.T:
        axes.plot(head, "o", color=MUTED, alpha=0.6, markersize=4)
    axes.plot(heads.mean(1), color=ACCENT, label="mean over heads")
    axes.legend(frameon=False)
    return drawn


def plot_token_norms(norms: Tensor, prefix: int) -> "Figure":
    """[depth + 1, B, N] of `token_norms`, with so many `prefix` tokens: the median and the largest patch, and each
    token of the model's own; where the largest leaves the median behind there are outliers.
    """
    lengths = numbers(norms)
    patches = lengths[:, :, prefix:].reshape(len(lengths), -1)
    drawn, axes = chart("after block (0: as they enter the first)", "length of tokens")
    axes.plot(np.median(patches, axis=1), color=ACCENT, label="patches, median")
    axes.plot(patches.max(axis=1), color=SECOND, label="patches, largest")
    for token in range(prefix):
        axes.plot(lengths[:, :, token].mean(1), "--", color=MUTED, label="own tokens, mean" if token == 0 else None)
    axes.set_yscale("log")
    axes.legend(frameon=False)
    return drawn


def plot_cka(similarity: Tensor, names: Sequence[str] = (), other_names: Sequence[str] = ()) -> "Figure":
    """[sites, other sites] of `cka`."""
    drawn, axes = chart("", "")
    heat(axes, numbers(similarity), "CKA")
    for labels, ticks in ((names, axes.set_yticks), (other_names or names, axes.set_xticks)):
        if labels:
            ticks(range(len(labels)), list(labels), rotation=45 if ticks == axes.set_xticks else 0)
    return drawn


def plot_logit_lens(lens: Tensor, class_names: Sequence[str], image: int = 0) -> "Figure":
    """[depth + 1, B, Y] of `logit_lens`: the probabilities of one image's classes, layer by layer; those that are the
    likeliest in the end.
    """
    shares = numbers(lens[:, image].softmax(-1))
    drawn, axes = chart("after block (0: as tokens enter the first)", "probability")
    for place, number in enumerate(shares[-1].argsort()[::-1][:_SHOWN]):
        axes.plot(shares[:, number], color=None if place else ACCENT, label=class_names[number])
    axes.legend(frameon=False)
    return drawn


def plot_logit_attribution(found: Attribution, image: int = 0) -> "Figure":
    """What every part adds to a logit of one image: heads and MLPs by block; the rest above it."""
    values = dict(zip(found.parts, found.values[image].tolist(), strict=True))
    rows: dict[int, dict[str, float]] = {}
    for part, value in values.items():
        if match := re.match(r"blocks\.(\d+)\.(.+)", part):
            rows.setdefault(int(match[1]), {})[match[2]] = value
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    matrix = np.array([[row.get(name, 0.0) for name in columns] for row in rows.values()])
    drawn, axes = chart("", "block")
    heat(axes, matrix, "added to the logit", either_way=True)
    axes.set_xticks(range(len(columns)), [_brief(name) for name in columns], rotation=45)
    others = ", ".join(f"{part} {value:+.2f}" for part, value in values.items() if not part.startswith("blocks."))
    axes.set_title(f"logit {float(found.logits[image]):.2f} = blocks + {others}", fontsize=9, color=MUTED)
    return drawn


def plot_knockouts(found: KnockoutOutcome) -> "Figure":
    """The change of accuracy without each head: a row a block, a column a head. Raises SpecError for no heads."""
    heads: dict[int, list[float]] = {}
    for effect in sorted(found.effects, key=lambda effect: [int(part) for part in re.findall(r"\d+", effect.site)]):
        if effect.kind == "head":
            heads.setdefault(effect.layer or 0, []).append(_PERCENT * effect.delta_top1)
    if not heads:
        raise SpecError("no head was knocked out")
    drawn, axes = chart("head", "block")
    heat(axes, np.array(list(heads.values())), "accuracy without it, points", either_way=True)
    return drawn


def plot_head_curve(curve: Curve) -> "Figure":
    """How accuracy falls as heads go, the least harmful first."""
    drawn, axes = chart("heads that are gone", "accuracy, %")
    axes.plot(_PERCENT * np.array(curve.top1), color=ACCENT)
    axes.axvline(curve.removable, color=MUTED, linestyle=":", label=f"{curve.removable} before a point is lost")
    axes.legend(frameon=False)
    return drawn


def _brief(part: str) -> str:
    """'head 2' of attn.z.2"""
    return part.replace("attn.z.", "head ")
