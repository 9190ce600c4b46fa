"""The page of one run: a single HTML file with everything in it, and a folder of its pictures beside it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitlab.records.run import RunDeclaration
from vitlab.report import classes, figures, wording
from vitlab.report.beside import Beside
from vitlab.report.glossary import explained
from vitlab.report.images import address, image_of, png
from vitlab.report.run import SPLITS, RunRecord, command_again
from vitlab.report.template import Page, render, scripts

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


def run_page(run: RunRecord, name: str, folder: str) -> Page:
    """The page of a run in a folder called `name`, with its files in a `folder` beside it."""
    beside = Beside()
    values = {"again": command_again(run, f"{name}/{RunDeclaration.file}"), "made_by": f"vitlab report {name}"}
    return Page(render("run.html", figures=folder, **values, **_contents(run, beside)), beside)


def _contents(run: RunRecord, beside: Beside) -> dict[str, Any]:
    """Everything the template shows."""
    curves = [figures.curves(run, metric, beside) for metric in run.measured.values() if metric.brief]
    drawings = [*curves, figures.learning_rate(run, beside)]
    scores = wording.scores(run)
    return {
        "run": run,
        "cited": [run.cited] if run.cited else [],
        "subject": wording.subject(run.spec),
        "headline": wording.headline(run),
        "caveats": wording.caveats(run),
        "scores": scores,
        "words": explained([wording.headline(run), *scores.columns]),
        "key_numbers": wording.key_numbers(run),
        "images": wording.images(run),
        "unreadable": _unreadable(run),
        "drawings": [drawing for drawing in drawings if drawing],
        "machine": wording.machine(run),
        "choices": wording.choices(run),
        "command": run.environment and run.environment.command,
        "configuration": json.dumps(run.spec, indent=2, ensure_ascii=False),
        "recalls": classes.recalls(run, beside),
        **_predictions(run, beside),
        **scripts(),
    }


def _unreadable(run: RunRecord) -> dict[str, tuple[tuple[str, ...], int]]:
    """By split: the first names of pictures that could not be read, and how many more there are."""
    return {SPLITS[split]: (names[:LISTED_NAMES], len(names[LISTED_NAMES:])) for split, names in run.unreadable.items()}


def _predictions(run: RunRecord, beside: Beside) -> dict[str, Any]:
    """What the page says from predictions.npz: the matrix, the pairs, the mistakes."""
    predictions = run.predictions
    if predictions is None:
        return {"split": None, "matrix": None, "pairs": [], "mistakes": []}
    names = [run.class_name(index) for index in range(predictions.probabilities.shape[1])]
    sizes = np.bincount(predictions.labels, minlength=len(names))
    return {
        "split": SPLITS[predictions.split],
        "matrix": figures.confusion(predictions, names, beside) if len(names) <= MATRIX_CLASSES else None,
        "pairs": [
            (names[true], names[taken], number, wording.percent(number / sizes[true]))
            for true, taken, number in predictions.most_confused(CONFUSED_PAIRS)
        ],
        "mistakes": list(_mistakes(run, beside)),
    }


def _mistakes(run: RunRecord, beside: Beside) -> Iterator[Mistake]:
    """The worst mistakes, worst first, each also a PNG file."""
    predictions = run.predictions
    assert predictions is not None
    for rank, index in enumerate(predictions.mistakes[:SHOWN_MISTAKES].tolist()):
        picture = _reduced(predictions.mistake_pixels[rank])
        beside[f"mistake_{rank + 1:02d}.png"] = picture
        predicted = int(predictions.predicted[index])
        yield Mistake(
            picture=address(picture),
            label=run.class_name(int(predictions.labels[index])),
            predicted=run.class_name(predicted),
            probability=wording.percent(float(predictions.probabilities[index, predicted])),
            index=index,
        )


def _reduced(pixels: np.ndarray) -> bytes:
    """[H, W, C] uint8, C 1 or 3 -> a PNG file; a small picture keeps its pixels, a large one is reduced."""
    picture = image_of(pixels)
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    return png(picture)
