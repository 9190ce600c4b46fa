"""Training, from a spec to a finished run directory.

    train([spec], [folder], recipe="digits")      -> the runs' results

Runs of one structure (`vitlab.train.alike`), seeds of one spec, say, may be given together: they are trained at once,
stacked, each into a folder of its own, and each with the result that it would have alone. Under torchrun several
processes share every batch.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console

from vitlab.base import records
from vitlab.base.env import describe, process_cores
from vitlab.base.errors import UserError
from vitlab.base.spec import to_dict
from vitlab.processes import Processes, joined
from vitlab.train.alike import sections
from vitlab.train.choices import Choices, Wishes, accelerator, pick_device
from vitlab.train.deterministic import deterministic_kernels
from vitlab.train.divide import divided
from vitlab.train.events import require_tensorboard
from vitlab.train.folder import RunFolder
from vitlab.train.interrupt import listening
from vitlab.train.loop import build_loop
from vitlab.train.memory import forget_peak, naming_the_setting
from vitlab.train.session import Saving, Session
from vitlab.train.spec import RunSpec
from vitlab.train.trial import choose


def train(
    specs: Sequence[RunSpec],
    folders: Sequence[Path],
    *,
    recipe: str | Sequence[str] = "",
    wishes: Wishes = Wishes(),
    saving: Saving = Saving(),
    resume: bool = False,
    init: Path | None = None,
    console: Console | None = None,
) -> list[dict[str, Any]]:
    """Train every spec into its folder; the contents of each run's result.json.

    `recipe` is what the runs are called, or what each of them is.
    `resume` goes on from the latest checkpoint, or starts where there is none; a finished run is left as it is.
    Raises UserError for what a user can mend, Diverged if the loss is no longer a number, Interrupted after a signal.
    """
    sections(specs)  # refuses what cannot be stacked
    if saving.tensorboard:
        require_tensorboard()
    with joined() as processes:
        console = console if console and processes.first else Console(quiet=True)
        terms = Terms(wishes, saving, init, console)
        names = [recipe] * len(specs) if isinstance(recipe, str) else recipe
        each = zip(folders, specs, names, strict=True)
        runs = [RunFolder(Path(path), spec, name, processes.first) for path, spec, name in each]
        waiting = [runs[index] for index in processes.by_first(lambda: _waiting(runs, resume))]
        if waiting:
            _work_on(waiting, terms, processes)
        return processes.by_first(lambda: [records.read_json(run.path / "result.json") for run in runs])


class Terms(NamedTuple):
    """On what terms the runs are trained."""

    wishes: Wishes
    saving: Saving
    init: Path | None
    console: Console


def _work_on(runs: list[RunFolder], terms: Terms, processes: Processes) -> None:
    """Train runs to their end, or go on with them."""
    recorded = processes.by_first(runs[0].choices)
    settled = recorded.but(terms.wishes) if recorded else terms.wishes
    with deterministic_kernels(bool(settled.deterministic), settled.device):
        if settled.device != "cpu":
            processes.take_gpu()  # only now: deterministic kernels are settled before CUDA starts
        with naming_the_setting(runs[0].spec, settled):
            session = _prepare(runs, terms, recorded, processes)
        with naming_the_setting(session.loop.spec, session.choices), listening() as request:
            session.run(request, terms.console)


def _waiting(runs: Sequence[RunFolder], resume: bool) -> list[int]:
    """Which runs are to be trained, once it is clear that their folders may be used."""
    for run in runs:
        run.claim(resume)
    unfinished = [index for index, run in enumerate(runs) if run.status != "finished"]
    return [i for i in unfinished if runs[i].status != "failed"] or unfinished  # the others do not wait for those


def _prepare(runs: list[RunFolder], terms: Terms, recorded: Choices | None, processes: Processes) -> Session:
    """Everything that training needs; the folders are taken when nothing can be refused any more."""
    specs = [run.spec for run in runs]
    first = specs[0]
    images = processes.first_ahead(first.data.load)
    train_indices, val = divided(first, images)
    _check_shares(processes, first, len(images.test), len(val))
    wishes = terms.wishes
    if recorded and recorded.processes != processes.count:  # then the cores are shared in another way
        wishes = replace(wishes, threads=wishes.threads or process_cores())
    choices = processes.by_first(
        lambda: recorded.but(wishes) if recorded else choose(wishes, specs, images, train_indices)
    )
    choices = replace(choices, processes=processes.count)
    _check_device(processes, choices.device)
    pick_device(choices.device)
    forget_peak(choices.device)
    torch.set_num_threads(choices.threads)
    images = replace(images, train=images.train.to(choices.device), test=images.test.to(choices.device))
    loop = build_loop(specs, images, train_indices, choices, processes)
    loop.loader.batch(0)  # what cannot be done is refused before the folder is taken
    session = Session(runs, loop, images, val.to(choices.device), choices, terms.saving, processes)
    chosen = {"accelerator": accelerator(choices.device), "choices": to_dict(choices), "stacked_runs": len(runs)}
    session.take_folders({**describe(), **chosen}, terms.init)
    terms.console.print(
        f"{len(runs)} run(s), {loop.total_steps} steps of {first.batch_size} images on {choices}", highlight=False
    )
    return session


def _check_shares(processes: Processes, spec: RunSpec, test: int, val: int) -> None:
    """Everybody must have something to do."""
    smallest = min(spec.batch_size, test, val or test)
    if processes.count > smallest:
        processes.end(
            UserError(
                f"{processes.count} processes for batch_size={spec.batch_size}, {test} test and {val} validation "
                f"images: at most {smallest} can share them"
            )
        )


def _check_device(processes: Processes, device: str) -> None:
    """Everybody must have a place to compute, and a way to add up what is there."""
    if processes.count > 1 and device not in ("cpu", "cuda"):
        processes.end(UserError(f"--device {device} and {processes.count} processes; legal: cpu, or cuda, a GPU each"))
