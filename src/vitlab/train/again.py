"""A finished run's score, measured again from its checkpoint: on its own data, or on another set's test split."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vitlab.base.errors import DataError
from vitlab.base.records import read_field
from vitlab.base.spec import from_dict
from vitlab.checkpoints.model import load
from vitlab.data.sets._base import DataSpec
from vitlab.evaluate.topk import evaluate
from vitlab.nn.kernel import use_kernel
from vitlab.train.choices import Choices, pick_device
from vitlab.train.loop import evaluation_pipeline
from vitlab.train.spec import RunSpec
from vitlab.train.stack import single


def evaluate_run(run: Path, data: DataSpec | None, device: str | None) -> dict[str, Any]:
    """The means of the test images, `test_loss` and so on, and their number; as training computes and normalises."""
    spec = from_dict(RunSpec, read_field(run / "spec.json", "spec"))
    chosen = from_dict(Choices, read_field(run / "env.json", "choices"))
    model, before = load(run)
    where = pick_device(device)
    model = model.to(where, chosen.compute_dtype)
    use_kernel(model, chosen.kernel)
    images = (data or spec.data).load()
    if images.class_names != before.class_names:
        theirs, ours = (", ".join(names[:3]) for names in (images.class_names, before.class_names))
        raise DataError(f"--data has the classes {theirs}, …; the run was trained on {ours}, …")
    prepare = evaluation_pipeline(spec, replace(images, mean=before.mean, std=before.std), chosen)

    noisy = torch.tensor([spec.seed]) if spec.evaluate_with_dropout else None
    means, _ = evaluate(single(model, spec.task), prepare, images.test.to(where), runs=1, seeds=noisy)
    return {f"test_{name}": value for name, value in means[0].items()} | {"images": len(images.test)}
