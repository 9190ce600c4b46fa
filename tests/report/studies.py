"""Studies as `vitlab study` leaves them, made by hand: plan.json, execution.json and the runs' records, no training."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.report.conftest import DECLARED, ENV, MEASURED, SPEC, write
from vitlab.records.pictures import PictureScores

IMAGES = 400
EPOCHS = 8
LOST = [  # cell, what its sentence begins with, the points it loses, its parameters
    ("baseline", "", 0.0, 212_810),
    ("position embedding none", "removing the position embedding", 41.0, 210_762),
    ("position embedding sincos2d", "position embedding sincos2d instead of learned", -1.2, 210_762),
    ("position embedding rope2d", "position embedding rope2d instead of learned", -2.6, 210_762),
    ("pooling cls", "cls instead of mean pooling", 0.3, 212_874),
    ("block post_norm", "block post_norm instead of pre_norm", 6.5, 212_810),
    ("attention linear", "attention linear instead of softmax", 2.4, 212_810),
    ("registers 4", "registers 4 instead of 0", 0.1, 213_066),
    ("mlp swiglu", "mlp swiglu instead of gelu", -0.9, 246_090),
    ("norm rms", "norm rms instead of layer", 0.0, 212_234),
    ("patch size 4", "patch size 4 instead of 2", 12.3, 209_866),
    ("depth 2", "depth 2 instead of 4", 3.1, 112_842),
    ("depth 6", "depth 6 instead of 4", -0.4, 312_842),
    ("width 32", "width 32 instead of 64", 2.2, 56_842),
    ("heads 1", "heads 1 instead of 4", 0.8, 212_810),
    ("heads 16", "heads 16 instead of 4", 0.2, 212_810),
    ("layer scale", "layer scale instead of none", -0.1, 213_322),
    ("dropout 0.1", "dropout 0.1 instead of none", 0.5, 212_810),
    ("label smoothing 0.1", "label smoothing 0.1 instead of none", -0.6, 212_810),
    ("augmentation none", "no augmentation instead of crops and flips", 1.9, 212_810),
]


def write_study(
    folder: Path, cells: int = 12, seeds: int = 6, metric: str = "test_top1", test_curve: bool = False, **changes: Any
) -> Path:
    """A finished study of some cells of `LOST`, one factor at a time; `changes` are of the plan."""
    planned = [_cell(*each, seeds) for each in LOST[:cells]]
    plan = {
        "id": "0a1b2c3d4e5f",
        "question": "What does each part do?",
        "design": "one_at_a_time",
        "metric": metric,
        "equal": "steps",
        "seeds": list(range(seeds)),
        "tune": None,
        "tune_seeds": 1,
        "crossed": {},
        "cells": planned,
        "study": {"question": "What does each part do?"},
        "metrics": MEASURED,
        "selects": "val_top1",
    }
    write_plan(folder, plan | changes)
    executions = {cell["folder"]: _execution(number) for number, cell in enumerate(planned)}
    costs = {cell["folder"]: _costs(number) for number, cell in enumerate(planned)}
    write(folder / "execution.json", {"hosts": {"a1b2": {"host": {}, "cells": executions, "costs": costs}}})
    for number, (cell, lost) in enumerate(zip(planned, LOST, strict=False)):
        for seed in range(seeds):
            write_run(folder, cell, seed, 0.955 - lost[2] / 100, number, test_curve)
    return folder


def write_plan(folder: Path, plan: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "plan.json", dict(plan))


def _cell(name: str, says: str, _: float, num_params: int, seeds: int) -> dict[str, Any]:
    part = name.rpartition(" ")[2]
    return {
        "name": name,
        "folder": name.replace(" ", "-"),
        "levels": {"part": part},
        "settings": {} if name == "baseline" else {"model.part": {"name": part}},
        "against": None if name == "baseline" else "baseline",
        "says": says,
        "num_params": num_params,
        "flops": 36 * num_params,
        "step_flops": 0,
        "activation_bytes": 60_416,
        "seeds": list(range(seeds)),
        "candidates": [{"name": "", "folder": "", "spec": SPEC}],
    }


def _execution(number: int) -> dict[str, Any]:
    alone = 0.011 + 0.0007 * number
    return {
        "execution": {"stack": "cell", "jobs": 1, "kernel": "fused"},
        "called": "stacked, fused attention",
        "measured": {"one by one, explicit attention": alone, "stacked, fused attention": 0.7 * alone},
        "steps_per_epoch": 41.0,
        "steps": 328,
    }


def _costs(number: int) -> dict[str, Any]:
    rounds = [(0.011 + 0.0007 * number) * pace for pace in (1.02, 1.0, 0.99, 1.0, 1.01)]
    return {"step": rounds, "image": [each / 300 for each in rounds], "busy": [0.97] * 5}


def run_folder(study: Path, cell: str, seed: int) -> Path:
    return study / "runs" / cell.replace(" ", "-") / f"seed-{seed}"


def write_run(study: Path, cell: Mapping[str, Any], seed: int, top1: float, number: int, test_curve: bool) -> None:
    """One run whose score is `top1` and what its seed adds; pairs of runs of one seed share half of that."""
    draw = np.random.default_rng([seed, number])
    top1 = round((top1 + 0.004 * np.random.default_rng(seed).normal() + 0.006 * draw.normal()) * IMAGES) / IMAGES
    folder = run_folder(study, cell["name"], seed)
    folder.mkdir(parents=True)
    write(folder / "spec.json", {**DECLARED, "recipe": cell["name"], "spec": {**SPEC, "seed": seed}})
    write(folder / "env.json", ENV | {"started": f"2026-11-21T07:{number:02d}:{seed:02d}+00:00"})
    counts = {split: {"images": images} for split, images in (("train", 1_293), ("test", IMAGES), ("val", 144))}
    write(folder / "data.json", {"order": "exact", **counts})
    metrics = {"test_top1": top1, "test_loss": round(1.4 - 1.3 * top1, 4), "num_params": cell["num_params"]}
    write(folder / "result.json", {"status": "finished", "reason": None, "metrics": metrics})
    lines = [json.dumps(_evaluation(epoch, top1, number, draw, test_curve)) for epoch in range(1, EPOCHS + 1)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    predictions = _predictions(top1, draw)
    np.savez(folder / "predictions.npz", **predictions)
    right = predictions["probabilities"].argmax(axis=1) == predictions["labels"]
    PictureScores("test", predictions["labels"], {"top1": right}).write(folder)


def _evaluation(epoch: int, top1: float, number: int, draw: np.random.Generator, test_curve: bool) -> dict[str, float]:
    reached = top1 * (1 - np.exp(-epoch / 1.7)) / (1 - np.exp(-EPOCHS / 1.7)) + 0.008 * draw.normal()
    line = {"step": 41 * epoch, "epoch": float(epoch), "seconds": (0.45 + 0.03 * number) * epoch + 0.02 * draw.random()}
    held_out = {"loss": 1.4 - 1.3 * reached, "top1": reached}
    splits = ["val", "test"] if test_curve else ["val"]
    return line | {f"{split}_{name}": value for split in splits for name, value in held_out.items()}


def _predictions(top1: float, draw: np.random.Generator) -> dict[str, np.ndarray]:
    """Two classes; as many of the images as `top1` says are classified rightly."""
    labels = np.zeros(IMAGES, int)
    wrong = draw.choice(IMAGES, IMAGES - round(top1 * IMAGES), replace=False)
    probabilities = np.tile(np.array([[0.9, 0.1]], np.float32), (IMAGES, 1))
    probabilities[wrong] = [0.1, 0.9]
    nothing = {"mistakes": np.zeros(0, int), "mistake_pixels": np.zeros((0, 8, 8, 1), np.uint8)}
    return {"split": np.array("test"), "labels": labels, "probabilities": probabilities, **nothing}
