"""The page of the inside of one model, or of two beside each other: one HTML file, whose maps follow the pointer."""

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vitlab.base.words import counted
from vitlab.records.inside import FILE, PAGE, Inside, read_inside
from vitlab.report import inside_figures as figures
from vitlab.report.beside import Beside
from vitlab.report.charts.drawing import Drawing
from vitlab.report.glossary import explained
from vitlab.report.images import address, image_of, png
from vitlab.report.inside_words import (
    MEANINGS,
    METHODS,
    PERCENT,
    caveats,
    compared,
    headline,
    in_other_places,
    measured_on,
    percent,
    reasons,
)
from vitlab.report.tables import Column, Entry, Table, absent, named
from vitlab.report.template import Page, folder_beside, render, scripts

OTHER = "other"  # the folder of the second of two models, inside of the first's
_PACKED = ("pictures", "attention", "attention_most", "rollout", "rollout_most", "relevance", "positions", "lens")
_LOGITS = ("logit_parts", "logits", "logit_classes")
_SIDE = 96  # pixels, of a picture of colours
_LISTED = 12  # knock-outs


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    name: str
    title: str
    texts: list[str] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    pictures: list[dict[str, str]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.drawings or self.tables or self.pictures or self.texts)


def write_inside_page(path: Path, out: Path | None = None, other: Path | None = None) -> Path:
    """The page of the record in a folder, and of another, or of the two that stand there: `inside.html`, unless `out`
    says otherwise. Raises DataError for a record that is damaged.
    """
    beside = other or (path / OTHER if (path / OTHER / FILE).exists() else None)
    found = [read_inside(path), *([read_inside(beside)] if beside else [])]
    out = out or path / PAGE
    return inside_page(found, folder_beside(out).name).save(out)


def inside_page(found: Sequence[Inside], folder: str) -> Page:
    """The page of one model or two, with its files in a `folder` beside it."""
    beside = Beside()
    sections = [each for each in _sections(found, beside) if not each.is_empty]
    told = [each.told for each in found]
    entries = [("where", "Where it looks")]
    has_logits = any("logit_parts" in each.arrays or "lens" in each.arrays for each in found)
    entries += [("logits", "What adds up")] if has_logits else []
    entries += [(each.name, each.title) for each in sections]
    missing = [f"{each.title}, {why}: {what}" for each in told for what, why in reasons(each.missing)]
    title = headline(found)
    values = {
        "titles": [each.title for each in told],
        "kicker": "; ".join(dict.fromkeys(each.model for each in told)),
        "headline": title,
        "caveats": list(caveats(found)),
        "entries": entries + ([("missing", "What is not here")] if missing else []),
        "pictures": [_thumb(found[0], number) for number in range(len(told[0].names))],
        "methods": [(name, title, MEANINGS[name]) for name, title in METHODS.items() if _has(found, name)],
        "layers": max((each.told.layers for each in found), key=len),
        "heads": max((_shape(each, "attention")[2] for each in found), default=1),
        "own": list(dict.fromkeys(name for each in told for name in each.own)),
        "reads": told[0].reads,
        "models": [_packed(each) for each in found],
        "has_logits": has_logits,
        "sections": sections,
        "missing": missing,
        "figures": folder,
        "words": explained([title, *(text for each in sections for text in each.texts)]),
        "made_by": told[0].made.get("command") or f"vitlab inspect {' '.join(each.title for each in told)}",
    }
    return Page(render("inside.html", **values, **scripts("sort", "marks", "copy", "inside")), beside)


# -------------------------------------------------------------------------------------------------------- sections


def _sections(found: Sequence[Inside], beside: Beside) -> Iterator[Section]:
    yield _attention(found, beside)
    yield _knockouts(found, beside)
    yield _believed(found, beside)
    yield _positions(found, beside)
    yield _tokens(found, beside)
    yield Section("layers", "How alike layers are", drawings=_each(found, "cka", figures.likeness, beside))


def _each(
    found: Sequence[Inside], array: str, draw: Callable[[Inside, Beside], Drawing], beside: Beside
) -> list[Drawing]:
    """A drawing for each model that has an array, named where there are two."""
    drawn = [(each, draw(each, beside)) for each in found if array in each.arrays]
    return [_named(each, one, len(found)) for each, one in drawn]


def _named(found: Inside, one: Drawing, models: int) -> Drawing:
    title = one.title if models == 1 else f"{one.title}: {found.told.title}"
    return Drawing(title, one.alt, one.wide, one.tall)


def _attention(found: Sequence[Inside], beside: Beside) -> Section:
    kinds = {
        "distance": ("How far heads look, in pixels", "pixels"),
        "entropy": ("How widely heads look, in nats", "nats"),
    }
    drawn = []
    for name, (title, unit) in kinds.items():

        def draw(each: Inside, beside: Beside, name: str = name, title: str = title, unit: str = unit) -> Drawing:
            return figures.by_block(each, name, title, unit, beside)

        drawn += _each(found, name, draw, beside)
    patches = found[0].told.grid[0] * found[0].told.grid[1]
    widest = f"To look at all {patches + len(found[0].told.own)} tokens alike is an entropy of "
    widest += f"{np.log(patches + len(found[0].told.own)):.2f} nats; at one alone, of zero."
    return Section("far", "How far and how widely", [widest] if drawn else [], drawn)


def _knockouts(found: Sequence[Inside], beside: Beside) -> Section:
    told = [each for each in found if each.told.knockouts.get("knockouts")]
    with_heads = [each for each in told if any(effect["kind"] == "head" for effect in each.told.knockouts["knockouts"])]
    drawn = [_named(each, figures.without_heads(each, beside), len(found)) for each in with_heads]
    drawn += [_named(each, figures.head_curve(each, beside), len(found)) for each in told if each.told.curve]
    texts = [measured_on(each, len(found)) for each in told]
    tables = [_knockout_table(each, number).kept(beside) for number, each in enumerate(told)]
    return Section("without", "What it loses without a part", texts, drawn, tables)


def _knockout_table(found: Inside, number: int) -> Table:
    columns = (
        Column("part", ("site",), numeric=False),
        Column("kind", ("kind",), numeric=False),
        Column("accuracy, points", ("delta_top1",), "The change of accuracy without the part."),
        Column("95 % interval", ("low", "high"), "The bootstrap over images."),
        Column("p, corrected", ("p_adjusted",), "McNemar’s exact test, by Holm’s correction over all parts."),
        Column("loss, nats", ("delta_loss",), "The change of the loss without the part."),
        Column("same answer", ("agreement",), "The share of images that get the whole model’s answer."),
    )
    rows = tuple(_knockout_row(effect) for effect in found.told.knockouts["knockouts"][:_LISTED])
    return Table(f"knockouts_{number}", f"What costs most, of {found.told.title}", columns, rows)


def _knockout_row(effect: Mapping[str, Any]) -> tuple[Entry, ...]:
    low, high = PERCENT * effect["low"], PERCENT * effect["high"]
    p = effect["p_adjusted"]
    return (
        named(effect["site"]),
        Entry(effect["kind"], (effect["kind"],)),
        Entry(f"{PERCENT * effect['delta_top1']:+.2f}", (effect["delta_top1"],)),
        Entry(f"[{low:+.2f}, {high:+.2f}]", (effect["low"], effect["high"])),
        Entry("< .001" if p < 0.0005 else f"{p:.3f}", (p,)),
        Entry(f"{effect['delta_loss']:+.3f}", (effect["delta_loss"],)),
        Entry(percent(effect["agreement"]), (effect["agreement"],)),
    )


def _believed(found: Sequence[Inside], beside: Beside) -> Section:
    having = [each for each in found if "areas" in each.arrays]
    if not having:
        return Section("believed", "Which map to believe")
    text = (
        "Patches are covered, the most relevant first by each method, and the probability of the class is followed: it "
        "should fall at once (a small area), and come at once as they are uncovered (a large one)."
    )
    tables = [_area_table(each, number).kept(beside) for number, each in enumerate(having)]
    return Section("believed", "Which map to believe", [text], tables=tables)


def _area_table(found: Inside, number: int) -> Table:
    columns = (
        Column("method", ("method",), numeric=False),
        Column(
            "covered: area", ("deletion",), "Below the probability of the class as patches are covered; small is good."
        ),
        Column("uncovered: area", ("insertion",), "The same as they are uncovered; large is good."),
    )
    rows = list[tuple[Entry, ...]]()
    for method in METHODS:
        if method in found.told.methods:
            deletion, insertion = found.arrays["areas"][found.told.methods.index(method)].mean(-1).tolist()
            entries = (Entry(f"{deletion:.3f}", (deletion,)), Entry(f"{insertion:.3f}", (insertion,)))
            rows.append((named(compared(method)), *entries))
        elif method in found.told.missing:
            rows.append((named(METHODS[method]), *(absent(found.told.missing[method]) for _ in range(2))))
    pictures = counted(len(found.told.names), "picture")
    return Table(f"areas_{number}", f"{found.told.title}, means over {pictures}", columns, tuple(rows))


def _positions(found: Sequence[Inside], beside: Beside) -> Section:
    texts = []
    for each in found:
        texts += [in_other_places(each.told)] if each.told.shuffled else []
    drawn = _each(found, "position_similarity", figures.positions_by_distance, beside)
    return Section("positions", "What positions say", texts, drawn)


def _tokens(found: Sequence[Inside], beside: Beside) -> Section:
    coloured = [
        {
            "address": address(png(_large(each.arrays["pictures"][number]))),
            "alt": f"picture {number + 1}",
            "other": address(png(_large(each.arrays["colours"][number]))),
            "other_alt": f"picture {number + 1}, patches in the colours of their components",
            "caption": each.told.title if len(found) > 1 else "",
        }
        for each in found
        if "colours" in each.arrays
        for number in range(len(each.told.names))
    ]
    text = (
        "Patches of one colour are one thing to the model: the first three principal components after the last block."
    )
    return Section(
        "tokens",
        "What tokens are like",
        [text] if coloured else [],
        _each(found, "norms", figures.norms, beside),
        pictures=coloured,
    )


# ------------------------------------------------------------------------------------------------- what the script has


def _packed(found: Inside) -> dict[str, Any]:
    """A model's numbers as the script reads them, compressed, and where each of its arrays begins."""
    arrays, pieces, start = [], [], 0
    for name in (*_PACKED, *_LOGITS):
        if name not in found.arrays:
            continue
        values = found.arrays[name]
        kept = values if values.dtype == np.uint8 else values.astype("<f4")
        piece = kept.tobytes()
        piece += bytes(-len(piece) % 4)  # whatever begins behind it may be of four bytes
        arrays.append({"name": name, "dtype": str(kept.dtype), "shape": list(kept.shape), "start": start})
        pieces.append(piece)
        start += len(piece)
    told = found.told
    manifest = {
        "arrays": arrays,
        "title": told.title,
        "size": told.img_size,
        "grid": told.grid,
        "keys": told.keys,
        "pooled": told.pooled,
        "own": told.own,
        "classes": told.classes,
        "labels": told.labels,
        "says": told.says,
        "parts": told.parts,
        "methods": told.methods,
        "missing": dict(told.missing),
    }
    return {
        "title": told.title,
        "manifest": json.dumps(manifest),
        "packed": base64.b64encode(zlib.compress(b"".join(pieces), 9)).decode(),
        "has_attention": "attention" in found.arrays,
        "has_positions": "positions" in found.arrays,
    }


def _has(found: Sequence[Inside], method: str) -> bool:
    return any(method in each.arrays or method in each.told.methods for each in found)


def _shape(found: Inside, name: str) -> tuple[int, ...]:
    return found.arrays[name].shape if name in found.arrays else (1, 1, 1)


def _thumb(found: Inside, number: int) -> dict[str, str]:
    told = found.told
    label = told.labels[number] or told.names[number]
    return {"address": address(png(image_of(found.arrays["pictures"][number]))), "alt": label}


def _large(pixels: np.ndarray) -> Image.Image:
    """As large as the page shows it, each pixel a square."""
    picture = image_of(pixels)
    scale = _SIDE / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)
