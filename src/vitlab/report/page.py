"""The page of one run: a single HTML file with everything in it, and a folder of its pictures beside it."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vitlab.base.records import replacing
from vitlab.report import figures, wording
from vitlab.report.run import SPLITS, RunRecord, read_run
from vitlab.report.template import figures_folder, write_page

MATRIX_CLASSES = 20  # beyond them the cells of a confusion matrix are too small to read
CONFUSED_PAIRS = 15
SHOWN_MISTAKES = 24
LISTED_NAMES = 50  # of unreadable pictures; data.json has all of them
PICTURE_SIDE = 128  # pixels, of the longer side: larger pictures are reduced, so that the page stays small


@dataclass(frozen=True)
class Mistake:
    """A wrongly classified picture."""

    picture: str  # a data address
    label: str
    predicted: str
    probability: str  # of the predicted class, in percent
    index: int  # in the split


def write_run_report(run_dir: Path, out: Path) -> Path:
    """Write the page of the run in `run_dir` to `out`, its pictures to `<stem>_figures/` beside it. Returns `out`.

    Raises DataError if `run_dir` is not a run directory or a record in it is damaged.
    """
    run = read_run(run_dir)
    return write_page(out, "run.html", **_contents(run, figures_folder(out)))


def _contents(run: RunRecord, folder: Path) -> dict[str, Any]:
    """Everything the template shows."""
    curves = [figures.curves(run.history, quantity, folder) for quantity in figures.QUANTITIES]
    drawings = [*curves, figures.learning_rate(run.history, folder)]
    return {
        "run": run,
        "headline": wording.headline(run),
        "caveats": wording.caveats(run),
        "scores": wording.scores(run.metrics),
        "key_numbers": wording.key_numbers(run),
        "pictures": wording.pictures(run),
        "unreadable": _unreadable(run),
        "drawings": [drawing for drawing in drawings if drawing],
        "machine": wording.machine(run),
        "choices": wording.choices(run),
        "command": run.env.get("command"),
        "configuration": json.dumps(run.spec, indent=2, ensure_ascii=False),
        **_predictions(run, folder),
    }


def _unreadable(run: RunRecord) -> dict[str, tuple[tuple[str, ...], int]]:
    """By split: the first names of pictures that could not be read, and how many more there are."""
    found = run.pictures.unreadable if run.pictures else {}
    return {SPLITS[split]: (names[:LISTED_NAMES], len(names[LISTED_NAMES:])) for split, names in found.items()}


def _predictions(run: RunRecord, folder: Path) -> dict[str, Any]:
    """What the page says from predictions.npz: the matrix, the pairs, the mistakes."""
    found = run.predictions
    if found is None:
        return {"split": None, "matrix": None, "pairs": [], "mistakes": []}
    names = [run.class_name(index) for index in range(found.probabilities.shape[1])]
    sizes = np.bincount(found.labels, minlength=len(names))
    return {
        "split": SPLITS[found.split],
        "matrix": figures.confusion(found, names, folder) if len(names) <= MATRIX_CLASSES else None,
        "pairs": [
            (names[true], names[taken], number, wording.percent(number / sizes[true]))
            for true, taken, number in found.most_confused(CONFUSED_PAIRS)
        ],
        "mistakes": list(_mistakes(run, folder)),
    }


def _mistakes(run: RunRecord, folder: Path) -> Iterator[Mistake]:
    """The worst mistakes, worst first, each also a PNG file."""
    found = run.predictions
    assert found is not None
    for rank, index in enumerate(found.mistakes[:SHOWN_MISTAKES].tolist()):
        picture = _png(found.mistake_pixels[rank])
        with replacing(folder / f"mistake_{rank + 1:02d}.png") as temporary:
            temporary.write_bytes(picture)
        predicted = int(found.predicted[index])
        yield Mistake(
            picture="data:image/png;base64," + base64.b64encode(picture).decode(),
            label=run.class_name(int(found.labels[index])),
            predicted=run.class_name(predicted),
            probability=wording.percent(float(found.probabilities[index, predicted])),
            index=index,
        )


def _png(pixels: np.ndarray) -> bytes:
    """[H, W, C] uint8, C 1 or 3 -> a PNG file; a small picture keeps its pixels, a large one is reduced."""
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    written = BytesIO()
    picture.save(written, format="png", optimize=True)
    return written.getvalue()
