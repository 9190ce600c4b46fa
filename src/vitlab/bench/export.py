"""Exported programs beside the model that they were written of: the same answers on the test images, and how fast.

Every image of the test split goes through both, prepared once. Then they take turns, with one image and with more, on
the same number of threads.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vitlab.base.env import environment
from vitlab.base.errors import UserError
from vitlab.base.going_on import Say, unsaid
from vitlab.bench.contest import Contestant, ratio, run_rounds
from vitlab.checkpoints.export import export, format_named
from vitlab.checkpoints.trained import EquippedViT, Trained, load

PROGRAMS = ("onnx", "torch_export")
BATCHES = (1, 32)
CPU = torch.device("cpu")
_CHUNK = 256  # test images at once
Program = Callable[[Tensor], Tensor]


def bench_export(path: str, formats: Sequence[str] = PROGRAMS, rounds: int = 9, say: Say = unsaid) -> dict[str, Any]:
    """For every format: how many test images are classified as the model does it, how far logits are apart, and the
    latency of both by batch. Raises UserError for a model of which no test images are known.
    """
    trained = load(path)
    model, images = trained.model.eval().requires_grad_(False), _test_images(trained, path)
    exports = []
    with tempfile.TemporaryDirectory() as room:
        for name in formats:
            say(f"exporting to {name}")
            export(trained, name, Path(room) / name)
            program = format_named(name).loaded(Path(room) / name)
            say(f"{name}: {len(images):,} test images")
            agreement = _agreement(model, program, images)
            exports.append({"format": name, **agreement, "latency": list(_latency(model, program, rounds, say))})
    known = {"env": environment(), "run": path, "images": len(images), "threads": torch.get_num_threads()}
    return {**known, "rounds": rounds, "exports": exports}


def _test_images(trained: Trained, path: str) -> Tensor:
    """The test split of what the model was trained on, prepared: [n, C, height, width]"""
    if trained.data is None:
        raise UserError(f"{path} does not say what it was trained on: there are no test images to compare on")
    test = trained.data.load_held_out().test
    pipeline = trained.preprocessing.pipeline(trained.model.spec.num_classes)
    return torch.cat([pipeline.prepared(pixels) for pixels, _ in test.batches(_CHUNK)])


@torch.no_grad()
def _agreement(model: EquippedViT, program: Program, images: Tensor) -> dict[str, Any]:
    alike, apart = 0, 0.0
    for chunk in images.split(_CHUNK):
        ours, theirs = model(chunk), program(chunk)
        alike += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
        apart = max(apart, float((ours - theirs).abs().max()))
    return {"same_class": alike, "largest_difference": apart}


def _latency(model: EquippedViT, program: Program, rounds: int, say: Say) -> Iterator[dict[str, Any]]:
    for batch in BATCHES:
        images = torch.randn(batch, model.spec.in_chans, *model.spec.img_size)
        ours = Contestant("the model", "eager", batch, partial(_without_gradient, model, images))
        theirs = Contestant("the export", "program", batch, partial(_without_gradient, program, images))
        run_rounds([ours, theirs], CPU, rounds, say=say)
        yield {
            "batch": batch,
            "model_seconds": batch / ours.images_per_second,
            "export_seconds": batch / theirs.images_per_second,
            "times_as_fast": ratio(theirs, ours),
        }


@torch.no_grad()
def _without_gradient(program: Program, images: Tensor) -> Tensor:
    return program(images)
