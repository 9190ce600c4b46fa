"""The Python side of the command line: `vitlab.create`, `load`, `train`, `study`, `report`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vitlab.base.spec import with_settings
from vitlab.checkpoints import model as checkpoints
from vitlab.models import vit
from vitlab.recipes import changed, recipe
from vitlab.report.write import write_report
from vitlab.study.files import adjusted, read_study
from vitlab.study.launch import run_study
from vitlab.study.outcome import Outcome
from vitlab.study.spec import StudySpec
from vitlab.train import run as training
from vitlab.train.choices import Wishes
from vitlab.train.spec import RunSpec


def create(model: str = "vit_base_patch16_224", seed: int = 0, **settings: Any) -> vit.ViT:
    """A ViT by name with settings changed: `create("vit_tiny_patch16_224", attention="linear", num_classes=10)`.

    A component is given by its name, by settings with a name, or by its Spec. Raises SpecError for what cannot be.
    """
    return vit.build(with_settings(vit.preset(model), settings), seed)


def load(path: str | Path) -> vit.ViT:
    """The trained model of a run directory or a checkpoint folder. Raises CheckpointError if it is damaged."""
    return checkpoints.load(Path(path))[0]


def train(
    what: str | RunSpec,
    out: str | Path,
    *,
    seeds: Sequence[int] | None = None,
    resume: bool = False,
    init: str | Path | None = None,
    wishes: Wishes = Wishes(),
    saving: training.Saving = training.Saving(),
    **settings: Any,
) -> list[dict[str, Any]]:
    """Train a recipe or a spec; one result for each seed, as in result.json.

    Several seeds are trained at once, into `out/seed-N`. Settings are dotted paths:
    `train("digits", "run", **{"optim.lr": 1e-3})`; `wishes` is what the machine may not choose (device, precision, …),
    `saving` when checkpoints are written, and whether TensorBoard's events are.
    """
    spec = changed(recipe(what) if isinstance(what, str) else what, settings)
    name = what if isinstance(what, str) else ""
    specs = [spec] if seeds is None else [replace(spec, seed=seed) for seed in seeds]
    folders = [Path(out)] if seeds is None else [Path(out) / f"seed-{seed}" for seed in seeds]
    start = Path(init) if init else None
    return training.train(specs, folders, recipe=name, wishes=wishes, saving=saving, resume=resume, init=start)


def study(
    what: str | StudySpec,
    out: str | Path,
    *,
    seeds: int | None = None,
    jobs: int | None = None,
    stack: bool | None = None,
    retry: bool = False,
    wishes: Wishes = Wishes(),
    **settings: Any,
) -> Outcome:
    """Train what the study in `out` lacks and write its report; what it says.

    `what` is a StudySpec or a study file, `"studies/positions.py:digits"`; settings are dotted paths of its base.
    `jobs` processes at once, `stack` the seeds of a cell in one process or not: measured and chosen if left open.
    """
    found = adjusted(read_study(what) if isinstance(what, str) else what, settings, seeds)
    outcome = run_study(found, Path(out), jobs=jobs, stack=stack, wishes=wishes, retry=retry)
    write_report(Path(out))
    return outcome


def report(path: str | Path, other: str | Path | None = None, out: str | Path | None = None) -> Path:
    """Write the report of a run or a study, or of two side by side; the path of the page."""
    return write_report(Path(path), Path(other) if other else None, Path(out) if out else None)
