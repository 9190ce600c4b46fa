"""A run's records as training writes them: ten classes, twelve epochs, 8×8 gray pictures, 360 test images."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitlab.records.outcome import Outcome
from vitlab.records.plan import PlanRecord
from vitlab.records.run import RunDeclaration
from vitlab.report.beside import Beside

EPOCHS, STEPS_PER_EPOCH, IMAGES = 12, 41, 360
RESULT = {
    "val_top1": 0.986,
    "val_top5": 1.0,
    "val_loss": 0.071,
    "test_top5": 0.9972,
    "test_loss": 0.0838,
    "num_params": 212_810,
    "flops": 7_340_032,
    "steps": 492,
    "best_step": 451,
    "images_seen": 15_744,
    "train_seconds": 75.4,
    "seconds_per_epoch": 6.28,
    "images_per_second": 208.8,
    "peak_memory_bytes": 412 * 2**20,
    "train_top1": 0.994,
    "train_loss": 0.0312,
}
SPEC = {
    "model": {"img_size": [8, 8], "patch_size": [2, 2], "embed_dim": 64, "depth": 4, "attention": {"name": "softmax"}},
    "data": {"name": "digits"},
    "optim": {"lr": 1e-3},
    "seed": 0,
}
ENV = {
    "hardware": {"cpu": "Example CPU", "cores": 2, "ram_bytes": 24 * 2**30, "instructions": ["avx2", "avx512f"]},
    "os": "Linux-6.1",
    "python": "3.11.7",
    "versions": {"vitlab": "0.1.0", "torch": "2.15.0"},
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "command": "vitlab train digits --seed 0 --out runs/digits",
    "started": "2026-11-21T07:11:22+00:00",
    "choices": {"device": "cpu", "precision": "bf16", "kernel": "explicit", "threads": 2},
}


MEASURED = {  # as training writes them of a classification
    f"{split}_{name}": {
        "name": name,
        "title": title,
        "unit": unit,
        "better": better,
        "brief": name != "top5",
        "counts_right": name == "top1",
    }
    for split in ("train", "val", "test")
    for name, title, unit, better in (
        ("top1", "top-1", "fraction", "higher"),
        ("top5", "top-5", "fraction", "higher"),
        ("loss", "loss", "nats", "lower"),
    )
}
AUXILIARY = {"name": "auxiliary_loss", "title": "auxiliary loss", "unit": "", "better": "lower"}
DECLARED = {"recipe": "digits", "id": "5f0c9e1a77b2", "spec": SPEC, "metrics": MEASURED, "selects": "val_top1"}
DATA = {
    "order": "exact",
    "train": {"images": 1_293, "unreadable": 0, "names": []},
    "test": {"images": IMAGES, "unreadable": 0, "names": []},
    "val": {"images": 144},
}


@pytest.fixture
def beside() -> Beside:
    """Where a page's pictures and tables are put."""
    return Beside()


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """`make_run(classes=30, channels=3, status="failed")`: a run directory with records changed."""
    return lambda **changes: write_run(tmp_path / "run", **changes)


def write_run(
    folder: Path,
    classes: int = 10,
    channels: int = 1,
    mistakes: int = 7,
    names: list[str] | None = None,
    status: str = "finished",
    reason: str | None = None,
    test_curve: bool = False,
) -> Path:
    folder.mkdir()
    metrics = RESULT | {"test_top1": 1 - mistakes / IMAGES}
    write(folder / "spec.json", DECLARED)
    write(folder / "env.json", ENV)
    write(folder / "result.json", {"status": status, "reason": reason, "metrics": metrics})
    write(folder / "data.json", DATA | {"classes": names or [str(i) for i in range(classes)]})
    lines = [json.dumps(evaluation(epoch, test_curve)) for epoch in range(1, EPOCHS + 1)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    np.savez(folder / "predictions.npz", **predictions(classes, channels, mistakes))
    return folder


SCHEMAS = {record.file: record.schema for record in (RunDeclaration, PlanRecord, Outcome)}


def write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps({"schema": SCHEMAS.get(path.name, 1), **values}))


def change(path: Path, **values: Any) -> None:
    """Change a JSON record; a value of ... removes its key."""
    changed = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in changed.items() if value is not ...}))


def evaluation(epoch: int, test_curve: bool) -> dict[str, float]:
    progress = 1 - np.exp(-epoch / 2.5)
    line = {
        "step": epoch * STEPS_PER_EPOCH,
        "epoch": float(epoch),
        "images_seen": epoch * STEPS_PER_EPOCH * 32,
        "lr": 1e-3 * min(epoch / 2, 0.5 + 0.5 * np.cos(np.pi * (epoch - 2) / (EPOCHS - 2))),
        "seconds": 6.28 * epoch,
        "train_loss": 2.2 - 2.17 * progress,
        "train_top1": 0.15 + 0.85 * progress,
        "val_loss": 2.2 - 2.14 * progress + 0.03 * np.sin(3 * epoch),
        "val_top1": 0.12 + 0.87 * progress + 0.01 * np.sin(3 * epoch),
        "val_top5": 1.0,
    }
    return line | ({"test_loss": line["val_loss"] + 0.1, "test_top1": line["val_top1"] - 0.03} if test_curve else {})


def predictions(classes: int, channels: int, mistakes: int) -> dict[str, np.ndarray]:
    """The first `mistakes` of the images are taken for the class after their own, the surest first."""
    labels = np.arange(IMAGES) % classes
    predicted = labels.copy()
    predicted[:mistakes] = (labels[:mistakes] + 1) % classes
    sure = np.where(np.arange(IMAGES) < mistakes, 0.95 - 0.01 * np.arange(IMAGES), 0.99)
    probabilities = np.repeat((1 - sure[:, None]) / (classes - 1), classes, axis=1)
    probabilities[np.arange(IMAGES), predicted] = sure
    return {
        "split": np.array("test"),
        "labels": labels,
        "probabilities": probabilities.astype(np.float32),
        "mistakes": np.arange(mistakes),
        "mistake_pixels": pictures(labels[:mistakes], channels),
    }


def pictures(labels: np.ndarray, channels: int) -> np.ndarray:
    """[m, 8, 8, channels]: rings whose radius follows the class, a little noisy."""
    noise = np.random.default_rng(0).uniform(0, 0.25, (len(labels), 8, 8, channels))
    y, x = np.mgrid[-3.5:4, -3.5:4]
    rings = np.exp(-((np.hypot(x, y)[None] - 0.4 * labels[:, None, None]) ** 2))
    return (255 * np.clip(0.75 * rings[..., None] + noise, 0, 1)).astype(np.uint8)
