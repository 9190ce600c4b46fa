"""The launch of a training: from specs to finished run directories.

    train([spec], [folder], recipe="digits")      -> the runs' results

Runs of one structure (`vitlab.train.stacking`), seeds of one spec, say, may be given together: they are trained at
once, stacked, each into a folder of its own, and each with the result that it would have alone. Under torchrun several
processes share every batch.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console

from vitlab.base import kept
from vitlab.base.env import environment, process_cores
from vitlab.base.errors import CheckpointError, UserError
from vitlab.base.files import read_json
from vitlab.base.lock import alone_in
from vitlab.base.spec import from_dict, to_dict
from vitlab.base.words import counted, some
from vitlab.checkpoints import native
from vitlab.data.images import ImageSet
from vitlab.data.workers import abandon
from vitlab.devices import accelerator, pick_device
from vitlab.processes import Processes, process_group
from vitlab.records.run import Environment, Result
from vitlab.train.evaluations import Evaluations
from vitlab.train.interrupt import listening
from vitlab.train.machine.autotune import choose
from vitlab.train.machine.choices import Choices, Overrides
from vitlab.train.machine.deterministic import deterministic_kernels
from vitlab.train.machine.memory import check_room, forget_peak, naming_the_setting
from vitlab.train.remarks import remarks
from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
from vitlab.train.run_dir.run_dir import RunDir, check_same_data
from vitlab.train.spec import RunSpec
from vitlab.train.split import split_training
from vitlab.train.stacking import sections
from vitlab.train.step.assemble import build_loop
from vitlab.train.tensorboard import require_tensorboard
from vitlab.train.trainer import Trainer


def train(
    specs: Sequence[RunSpec],
    folders: Sequence[Path],
    *,
    recipe: str | Sequence[str] = "",
    overrides: Overrides = Overrides(),
    checkpoints: CheckpointPolicy = CheckpointPolicy(),
    tensorboard: bool = False,
    resume: bool = False,
    data_of: Path | None = None,
    console: Console | None = None,
) -> list[dict[str, Any]]:
    """Train every spec into its folder; the contents of each run's result.json.

    `recipe` is what the runs are called, or what each of them is. `checkpoints` says when they are saved, `tensorboard`
    whether their evaluations are written as TensorBoard's events too.
    `resume` goes on from the latest checkpoint, or starts where there is none; a finished run is left as it is.
    `data_of` is a run that was trained on the same pictures: with others nothing is trained.
    Raises UserError for what a user can mend, Diverged if the loss is no longer a number, Interrupted after a signal.
    """
    sections(specs)  # refuses what cannot be stacked
    if tensorboard:
        require_tensorboard()
    with process_group() as processes, ExitStack() as held:
        console = console if console and processes.is_main else Console(quiet=True)
        terms = Terms(overrides, checkpoints, tensorboard, data_of, console)
        names = [recipe] * len(specs) if isinstance(recipe, str) else recipe
        given = zip(folders, specs, names, strict=True)
        run_dirs = [RunDir(Path(path), _resolved(spec), name, processes.is_main) for path, spec, name in given]
        unfinished = processes.broadcast_from_main(lambda: _unfinished(run_dirs, resume, held))
        if unfinished:
            try:
                with _telling_what_is_left(run_dirs):
                    _work_on([run_dirs[index] for index in unfinished], terms, processes)
            finally:
                abandon()  # pictures that were asked for ahead
        return processes.broadcast_from_main(lambda: [read_json(run.path / Result.file) for run in run_dirs])


class Terms(NamedTuple):
    """On what terms the runs are trained."""

    overrides: Overrides
    checkpoints: CheckpointPolicy
    tensorboard: bool
    data_of: Path | None
    console: Console


def _resolved(spec: RunSpec) -> RunSpec:
    """The run with the checksum of what it starts from, which its id is made of, and its model as it begins there."""
    start = spec.start.resolved()
    return spec if start == spec.start else replace(spec, start=start, model=start.fitted(spec.model))


def _unfinished(run_dirs: Sequence[RunDir], resume: bool, held: ExitStack) -> list[int]:
    """Which runs are to be trained, once it is clear that their directories may be used; `held` are these, from now."""
    for run_dir in run_dirs:
        if run_dir.status != "finished":  # of which nothing is written any more
            held.enter_context(alone_in(run_dir.path, "trains this run"))
        run_dir.claim(resume)
    unfinished = [index for index, run_dir in enumerate(run_dirs) if run_dir.status != "finished"]
    return [i for i in unfinished if run_dirs[i].status != "failed"] or unfinished  # the others do not wait for those


@contextmanager
def _telling_what_is_left(run_dirs: Sequence[RunDir]) -> Iterator[None]:
    """Of a disk that is full, or gone, say from where a run can go on."""
    try:
        yield
    except OSError as error:
        inside = [run for run in run_dirs if error.filename and Path(error.filename).is_relative_to(run.path)]
        if not inside:
            raise
        raise CheckpointError(f"{error}; {native.told_latest(inside[0].checkpoints)}") from error


def _work_on(run_dirs: list[RunDir], terms: Terms, processes: Processes) -> None:
    """Train runs to their end, or go on with them."""
    recorded = processes.broadcast_from_main(run_dirs[0].choices)
    settled = recorded.but(terms.overrides) if recorded else terms.overrides
    with deterministic_kernels(bool(settled.deterministic), settled.device):
        if settled.device != "cpu":
            processes.set_gpu()  # only now: deterministic kernels are settled before CUDA starts
        with naming_the_setting(run_dirs[0].spec, settled):
            trainer = _prepare(run_dirs, terms, recorded, processes)
        with naming_the_setting(trainer.loop.spec, trainer.choices), listening() as request:
            trainer.train(request, terms.console, terms.tensorboard)


def _prepare(run_dirs: list[RunDir], terms: Terms, recorded: Choices | None, processes: Processes) -> Trainer:
    """Everything that training needs; the directories are taken when nothing can be refused any more."""
    specs = [run_dir.spec for run_dir in run_dirs]
    first = specs[0]
    check_room(specs, pick_device(terms.overrides.device))  # before the data, which may take their time
    if recorded is None:  # what has begun needs its source no more
        first.start.check(first.model)
    terms.console.print(f"reading {first.data.name} …", highlight=False)
    images = processes.main_first(first.load_images)
    _check_data(run_dirs, images, terms)
    indices, val = split_training(first, images)
    _check_shares(processes, first, len(images.test), len(val))
    if (why := kept.why_nothing()) is not None:
        terms.console.print(why, highlight=False)
    for told in images.found.told() if images.found else ():
        terms.console.print(f"data: {told}", highlight=False)
    for split, names in images.unreadable.items():
        if names:
            terms.console.print(f"data: unreadable and left out, {split}: {some(sorted(names))}", highlight=False)
    choices = _choices(
        processes, terms.overrides, recorded, lambda asked: choose(asked, specs, images, indices, terms.console)
    )
    forget_peak(choices.device)
    torch.set_num_threads(choices.threads)
    images = replace(images, train=images.train.to(choices.device), test=images.test.to(choices.device))
    loop = build_loop(specs, images, indices, choices, processes)
    if recorded is None:  # one that has begun goes on as it began
        for spec in specs:
            spec.check_warmup(loop.steps_per_epoch)
    loop.loader.batch(0)  # what cannot be done is refused before the directory is taken
    evaluations = Evaluations(loop, specs, images, indices, val.to(choices.device), choices, processes)
    trainer = Trainer(run_dirs, loop, images, evaluations, choices, terms.checkpoints, processes)
    trainer.begin(_environment(choices, len(run_dirs)), terms.console)
    for remark in remarks(first, images, indices, val, loop.total_steps):
        terms.console.print(remark, highlight=False)
    work = f"{counted(len(specs), 'run')}, {counted(loop.total_steps, 'step')} of {counted(first.batch_size, 'image')}"
    terms.console.print(f"{work} on {choices}", highlight=False)
    return trainer


def _check_data(run_dirs: Sequence[RunDir], images: ImageSet, terms: Terms) -> None:
    """The pictures must be those that a run began with, and those of the study's other runs."""
    for run_dir in run_dirs:
        run_dir.check_data(images.found)
    if terms.data_of is not None:
        check_same_data(terms.data_of, images.found, f"{run_dirs[0].path}")


def _environment(choices: Choices, stacked: int) -> Environment:
    """What the record says of the machine, and of what was chosen on it."""
    chosen = {"accelerator": accelerator(choices.device), "choices": to_dict(choices), "stacked_runs": stacked}
    return from_dict(Environment, {**environment(), **chosen})


def _choices(processes: Processes, overrides: Overrides, recorded: Choices | None, choose: Any) -> Choices:
    """How the runs are computed: as they were until now, or as is chosen; but for what the user says now."""
    if recorded and recorded.processes != processes.count:  # then the cores are shared in another way
        overrides = replace(overrides, threads=overrides.threads or process_cores())
    choices = processes.broadcast_from_main(lambda: recorded.but(overrides) if recorded else choose(overrides))
    choices = replace(choices, processes=processes.count)
    _check_device(processes, choices.device)
    pick_device(choices.device)
    return choices


def _check_shares(processes: Processes, spec: RunSpec, test: int, val: int) -> None:
    """Everybody must have something to do."""
    smallest = min(spec.batch_size, test, val or test)
    if processes.count > smallest:
        processes.abort(
            UserError(
                f"{processes.count} processes for batch_size={spec.batch_size}, {test} test and {val} validation "
                f"images: at most {smallest} can share them"
            )
        )


def _check_device(processes: Processes, device: str) -> None:
    """Everybody must have a place to compute, and a way to add up what is there."""
    if processes.count > 1 and device not in ("cpu", "cuda"):
        mistake = f"--device {device} and {processes.count} processes; legal: cpu, or cuda, a GPU each"
        processes.abort(UserError(mistake))
