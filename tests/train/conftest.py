"""Tiny runs on the digits, with everything decided so that nothing is measured."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from vitlab.base.spec import from_dict
from vitlab.data.images import ImageSet
from vitlab.data.sets.digits import Spec
from vitlab.data.splits import carve
from vitlab.recipes import changed
from vitlab.train.launch import train
from vitlab.train.machine.choices import Choices, Overrides
from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
from vitlab.train.spec import RunSpec
from vitlab.train.step.assemble import build_loop
from vitlab.train.step.loop import Loop

TINY = {  # complete, and independent of the recipes, which may change
    "model": {
        "img_size": 8,
        "patch_size": 2,
        "in_chans": 1,
        "num_classes": 10,
        "embed_dim": 16,
        "depth": 2,
        "num_heads": 2,
        "mlp_ratio": 2.0,
        "cls_token": False,
        "pool": "mean",
        "pos_embed": "sincos2d",
        "init": "torch_default",  # learns from the first step on, at this width
    },
    "data": "digits",
    "augment": [{"name": "crop", "padding": 1}],
    "batch_size": 16,
    "steps": 12,
    "optim": {
        "lr": 3e-3,
        "weight_decay": 0.05,
        "clip_norm": 1.0,
        "schedule": {"name": "cosine", "warmup_steps": 2},
    },
    "evaluate_every": 0.05,  # every four or five steps
}
EVERYTHING_RANDOM = {  # all that draws random numbers in a step
    "augment": [
        {"name": "crop", "padding": 1},
        "flip",
        {"name": "erase", "value": "noise"},
        {"name": "mix", "prob": 0.8},
    ],
    "model.drop_path": 0.3,
    "model.embed_dropout": 0.1,
    "model.mixer_dropout": 0.1,
    "model.mlp_dropout": 0.1,
    "task.label_smoothing": 0.1,
}


def crash(loop: Loop) -> None:
    """What `at_step` has happen where a training is cut short."""
    raise ConnectionError("the power went out")


def variant(family: str, name: str) -> dict[str, Any]:
    """Settings of the tiny run with another part, and with what that part needs."""
    needs = {
        "pool.cls": {"model.cls_token": True},
        "pool.cls_mean": {"model.cls_token": True},
        "mixer.identity": {"model.pos_embed": "learned"},
        "patch_embed.resnet": {"model.patch_size": 4},
    }
    return {f"model.{family}": name} | needs.get(f"{family}.{name}", {})


@pytest.fixture(scope="session")
def digits() -> ImageSet:
    return Spec().load()


@pytest.fixture(scope="session")
def tiny_run() -> Callable[..., RunSpec]:
    """`tiny_run({"optim.lr": 1.0}, seed=1)`: a run of twelve steps, D 16, depth 2."""

    def make(settings: dict[str, Any] | None = None, **more: Any) -> RunSpec:
        return changed(from_dict(RunSpec, TINY), (settings or {}) | more)

    return make


@pytest.fixture(scope="session")
def everything_random() -> dict[str, Any]:
    """Settings: crop, flip, erasing, mixing, drop path and every dropout."""
    return EVERYTHING_RANDOM


@pytest.fixture(scope="session")
def loop_of(digits: ImageSet) -> Callable[..., Loop]:
    """`loop_of(spec, seeds=(0, 1), precision="fp32")`: a loop over the digits, in double precision by default.

    Or of several specs: `loop_of([spec, other])`.
    """

    def make(given: RunSpec | Sequence[RunSpec], seeds: Sequence[int] | None = None, **choices: Any) -> Loop:
        given = [given] if isinstance(given, RunSpec) else given
        spec = given[0]
        specs = given if seeds is None else [replace(spec, seed=seed) for seed in seeds]
        chosen = Choices(**({"precision": "fp64", "micro_batch": spec.batch_size} | choices))
        indices, _ = carve(digits.train.labels, spec.val_fraction, spec.val_seed)
        return build_loop(specs, replace(digits, train=digits.train.to(chosen.device)), indices, chosen)

    return make


@pytest.fixture(scope="session")
def run_tiny() -> Callable[..., dict[str, Any]]:
    """`run_tiny(spec, folder, resume=True, save=3)`: the result of training it on the CPU, in single precision."""

    def run(
        spec: RunSpec,
        folder: Path,
        save: int | None = 3,
        precision: str = "fp32",
        micro_batch: int | None = None,
        init: Path | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        if init is not None:
            spec = changed(spec, {"start": {"name": "checkpoint", "path": str(init)}})
        overrides = Overrides(device="cpu", precision=precision, kernel="explicit", threads=1, micro_batch=micro_batch)  # type: ignore[arg-type]
        (result,) = train([spec], [folder], overrides=overrides, checkpoints=CheckpointPolicy(save, 1e9), **more)
        return result

    return run


@pytest.fixture(scope="session")
def records_of() -> Callable[[Path], dict[str, Any]]:
    """`records_of(folder)`: what must not depend on how often a run was stopped: weights as bytes, lines, results."""

    def read(folder: Path) -> dict[str, Any]:
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted((folder / "checkpoint").glob("*/*.safetensors"))
        }
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        result = json.loads((folder / "result.json").read_text())
        for values in (*lines, result["metrics"]):
            for timed in ("seconds", "train_seconds", "seconds_per_epoch", "images_per_second", "peak_memory_bytes"):
                values.pop(timed, None)
        return {**files, "lines": lines, "result": result}

    return read


def weights_of(loop: Loop, run: int = 0) -> dict[str, Tensor]:
    """The evaluated weights of one run, copied."""
    return {name: tensor.clone() for name, tensor in loop.state.evaluated(run).items()}


def largest_difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest |difference| of two sets of weights."""
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[Loop], None]], None]:
    """`at_step(5, action)`: when five steps are taken, and before the sixth, `action(loop)` happens, once."""

    def arrange(step: int, action: Callable[[Loop], None]) -> None:
        real, done = Loop.step, []

        def stepping(loop: Loop) -> None:
            if loop.state.step == step and not done:
                done.append(step)
                action(loop)
            real(loop)

        monkeypatch.setattr(Loop, "step", stepping)

    return arrange
