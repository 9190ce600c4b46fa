"""inside.npz: what goes on inside a model for a few pictures, small enough for a page that is sent on.

Shares of attention are kept in 255ths of each row's largest, `shares` [..., K] uint8 beside `most` [...] float32; where
that would be too much, keys are means over squares of patches (`pooled`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from vitlab.base.errors import SpecError
from vitlab.base.files import replacing
from vitlab.base.spec import from_dict
from vitlab.records._archives import damaged, read_arrays
from vitlab.records._base import Record

INSIDE, FILE, PAGE = "inside", "inside.npz", "inside.html"  # a folder of its own, what stands there, the page of it
STEPS = 255  # of a row's largest share
_EVERY = {"pictures": 4}  # arrays that are always there, and how many axes they have


@dataclass(frozen=True)
class InsideTold(Record):
    """What stands beside the arrays. `model` in words; `classes`; of each picture its name, its label where that is
    known, and what the model says; `grid` rows and columns; `own` names of the tokens before the patches; `reads` what
    the head reads; `keys` rows and columns of patches that attention is kept for, and how many patches one of these is,
    down and across (`pooled`); `parts` of a logit; `methods` of relevance; `missing` what is not there, and why;
    `knockouts`, `curve`, `shuffled` as the command has them in JSON, empty where no test images were given; `made` with
    which command, commit, torch, and on what. `layers` are the names of what `attention` has a map of: blocks, or their
    mixers. `gap`: how much of a difference of logits integrated gradients leave out at most, as a share of it.
    """

    file: ClassVar[str] = "inside.json"
    schema: ClassVar[int] = 1

    title: str
    model: str
    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    says: tuple[str, ...]
    grid: tuple[int, int]
    img_size: tuple[int, int]
    own: tuple[str, ...]
    reads: str
    keys: tuple[int, int]
    pooled: tuple[int, int]
    parts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    knockouts: Mapping[str, Any] = field(default_factory=dict)
    curve: Mapping[str, Any] = field(default_factory=dict)
    shuffled: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    gap: float = 0.0


@dataclass(frozen=True)
class Inside:
    """What was told, and arrays; B pictures, N tokens, L patches, K keys:

        pictures        [B, height, width, 1 or 3] uint8, as the model sees them, before they are normalised
        attention       [B, depth, H, N, K] uint8, attention_most [B, depth, H, N]; own tokens come first among K
        rollout         [B, N, K] uint8, rollout_most [B, N]
        relevance       [methods, B, L]; areas [methods, 2, B] of deletion and of insertion
        distance        [depth, H], pixels; entropy [depth, H], nats: means over the pictures
        norms           [depth + 1, 2 + own]: median and largest patch, each own token
        colours         [B, rows, columns, 3] uint8
        positions       [L, L]; position_distance, position_similarity [d]
        lens            [depth + 1, B, Y], probabilities
        logit_parts     [B, parts], logits [B], logit_classes [B]
        cka             [depth + 1, depth + 1]

    Any but the first may be missing; `told.missing` says why.
    """

    told: InsideTold
    arrays: Mapping[str, np.ndarray]

    def write(self, folder: Path) -> Path:
        """Write it, whole or not at all; the file."""
        folder.mkdir(parents=True, exist_ok=True)
        told = json.dumps({"schema": self.told.schema, **asdict(self.told)})
        with replacing(folder / FILE) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **{"told": np.array(told), **self.arrays})  # type: ignore[arg-type]
        return folder / FILE


def read_inside(path: Path) -> Inside:
    """The record in a folder or file. Raises DataError if there is none, or it is damaged."""
    file = path / FILE if path.is_dir() else path
    arrays = dict(read_arrays(file))
    try:
        values = json.loads(str(arrays.pop("told")))
        if values.pop("schema") != InsideTold.schema:
            raise ValueError("it is of another version of vitlab")
        told = from_dict(InsideTold, values)
    except (KeyError, ValueError, TypeError, AttributeError, SpecError) as error:
        raise damaged(file, f"what is told: {error}") from None
    if (broken := _broken(told, arrays)) is not None:
        raise damaged(file, broken)
    return Inside(told, arrays)


def quantised(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares [..., K] -> the same in 255ths of each row's largest, uint8, and that, [...] float32."""
    most = rows.max(-1, keepdims=True)
    steps = np.divide(rows * STEPS, most, out=np.zeros_like(rows, dtype=np.float64), where=most > 0)
    return steps.round().clip(0, STEPS).astype(np.uint8), most[..., 0].astype(np.float32)


def _broken(told: InsideTold, arrays: Mapping[str, np.ndarray]) -> str | None:
    """What does not go together; None if all does."""
    for name, axes in _EVERY.items():
        if name not in arrays or arrays[name].ndim != axes:
            return f"it has no {name}"
    for name, shape in _shapes(told).items():
        if name in arrays and not _fits(arrays[name].shape, shape):
            return f"{name} is {list(arrays[name].shape)}"
        if name in arrays and arrays[name].dtype.kind not in "uif":
            return f"{name} holds no numbers"
        if name in arrays and not np.isfinite(arrays[name]).all():
            return f"{name} is not finite"
    return None


def _fits(shape: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(want in (None, have) for have, want in zip(shape, expected, strict=True))


def _shapes(told: InsideTold) -> dict[str, tuple[int | None, ...]]:
    pictures, patches = len(told.names), told.grid[0] * told.grid[1]
    tokens, keys = len(told.own) + patches, len(told.own) + told.keys[0] * told.keys[1]
    return {
        "pictures": (pictures, None, None, None),
        "attention": (pictures, None, None, tokens, keys),
        "attention_most": (pictures, None, None, tokens),
        "rollout": (pictures, tokens, keys),
        "rollout_most": (pictures, tokens),
        "relevance": (len(told.methods), pictures, patches),
        "areas": (len(told.methods), 2, pictures),
        "distance": (None, None),
        "entropy": (None, None),
        "norms": (None, 2 + len(told.own)),
        "colours": (pictures, *told.grid, 3),
        "positions": (patches, patches),
        "position_distance": (None,),
        "position_similarity": (None,),
        "lens": (None, pictures, len(told.classes)),
        "logit_parts": (pictures, len(told.parts)),
        "logits": (pictures,),
        "logit_classes": (pictures,),
        "cka": (None, None),
    }
