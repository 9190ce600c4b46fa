"""The Python side of the command line, one function a verb: what notebooks use, and what each verb calls.

Everything heavy is imported inside the functions, so that a verb pays for what it needs and for nothing else.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from vitlab.api.exports import export as export
from vitlab.api.insides import SHOWN as SHOWN
from vitlab.api.insides import inspect as inspect
from vitlab.api.insides import knockout as knockout
from vitlab.api.models import NONE, Settings, own_settings
from vitlab.api.models import Converted as Converted
from vitlab.api.models import convert as convert
from vitlab.api.models import costs as costs
from vitlab.api.models import create as create
from vitlab.api.models import load as load
from vitlab.api.models import predict as predict
from vitlab.api.models import predictions as predictions
from vitlab.api.models import write_predictions as write_predictions
from vitlab.base.going_on import Say, going_on, unsaid
from vitlab.base.trust import trusting as trusting
from vitlab.base.trust import typed

if TYPE_CHECKING:
    from rich.console import Console

    from vitlab.data.sets._base import DataSpec
    from vitlab.evaluate._checkpoint import Among, Computing, Score
    from vitlab.recipes import Given
    from vitlab.records.data import Found
    from vitlab.records.outcome import Outcome
    from vitlab.report.write import Report
    from vitlab.study.execution import Constraints
    from vitlab.study.forecast import Forecast
    from vitlab.study.plan import Plan
    from vitlab.study.spec import StudySpec
    from vitlab.train.machine.choices import Overrides
    from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
    from vitlab.train.spec import RunSpec

_SHEET_SIZE, _SHEET_LENGTH = (64, 64), 12  # of a contact sheet: pixels of a picture, pictures of a class and split
T = TypeVar("T")


def read_as(kind: type[T], values: T | Settings) -> T:
    """What is given as itself or as values by name. Raises SpecError for values that cannot be."""
    from vitlab.base.spec import from_dict

    return from_dict(kind, values) if isinstance(values, Mapping) else values


# -------------------------------------------------------------------------------------------------------------- runs


def train(
    what: "str | RunSpec",
    out: str | Path,
    *,
    seeds: Sequence[int] | None = None,
    resume: bool = False,
    init: str | Path | None = None,
    overrides: "Overrides | Settings" = NONE,
    checkpoints: "CheckpointPolicy | Settings" = NONE,
    tensorboard: bool = False,
    console: "Console | None" = None,
    settings: Settings = NONE,
    **more_settings: Any,
) -> list[dict[str, Any]]:
    """Train a recipe, a file of JSON, or a spec; one result for each seed, as in result.json.

    Several seeds are trained at once, into `out/seed-N`. Settings are dotted paths:
    `train("digits", "run", **{"optim.lr": 1e-3})`; `init` starts from trained weights; `overrides` is what the machine
    may not choose, `{"device": "cpu"}`; `checkpoints` says when the run is saved, `{"steps": 100}`.
    """
    from dataclasses import replace

    from vitlab.recipes import changed

    typed(settings, more_settings)
    folders = [Path(out)] if seeds is None else [Path(out) / f"seed-{seed}" for seed in seeds]
    resumed = folders[0] if resume else None
    # an unknown recipe is refused before torch is loaded
    say = unsaid if console is None else console.print
    base, settings = _begun(what, init, {**settings, **more_settings}, resumed, say)
    from vitlab.train.launch import train as launch
    from vitlab.train.machine.choices import Overrides
    from vitlab.train.run_dir.checkpoint_policy import CheckpointPolicy
    from vitlab.train.start.checkpoint import settings_of_start

    start = {} if init is None else settings_of_start(str(init), resumed)
    spec = changed(base, {**start, **settings}, None if console is None else console.print)
    specs = [spec] if seeds is None else [replace(spec, seed=seed) for seed in seeds]
    return launch(
        specs,
        folders,
        recipe=what if isinstance(what, str) else "",
        overrides=read_as(Overrides, overrides),
        checkpoints=read_as(CheckpointPolicy, checkpoints),
        tensorboard=tensorboard,
        resume=resume,
        console=console,
    )


def _begun(
    what: "str | RunSpec", init: str | Path | None, settings: Settings, resumed: Path | None, say: Say
) -> "tuple[RunSpec, Settings]":
    """The run that settings are to change, and those that are left: a recipe may be made for weights and data. What a
    run that is resumed was made for need not be there any more.
    """
    from vitlab.recipes import Given, is_made_for

    if not (isinstance(what, str) and is_made_for(what)):
        return run_spec(what), settings
    left = {path: value for path, value in settings.items() if path.partition(".")[0] != "data"}
    if resumed is not None and init is not None and not Path(init).exists() and (resumed / "spec.json").exists():
        return run_spec(str(resumed / "spec.json")), left
    return run_spec(what, Given("" if init is None else str(init), settings, say)), left


def run_spec(what: "str | RunSpec", given: "Given | None" = None) -> "RunSpec":
    """What is given as itself or as a recipe's name or a file's; `given` is what a recipe may be made for."""
    from vitlab.recipes import NOTHING, read_run_spec

    if isinstance(what, str):
        return read_run_spec(what, given or NOTHING)
    typed(what)
    return what


def summary(run: str | Path) -> str:
    """What a run has come to, in a few words: why it failed, or its score and its time."""
    from vitlab.report.summary import summary as in_short

    return in_short(Path(run))


def evaluate(
    path: str | Path,
    data: "str | DataSpec | None" = None,
    device: str | None = None,
    among: "Among" = "all",
    settings: Settings = NONE,
    img_size: int | tuple[int, int] | None = None,
    resizing: Settings = NONE,
) -> "Score":
    """The score of a run or a checkpoint folder, measured again: on its own test split, or on other `data`, of which
    the held-out pictures count, or all if none are held out. `settings` say how these are read, {"class_depth": 2}.

    Classes are matched by name. Where the data lack some, `among` says what an image is classified among: "all" classes
    of the model, or those that are "present". With `img_size` the model is resized to images of that size;
    `resizing` says how, as where a training starts: {"positions": "run_on", "interpolation": "bilinear", "antialias":
    False}. It is computed as the run was trained, in its precision. Raises UserError for what a user can mend.
    """
    from vitlab.base.errors import UserError
    from vitlab.checkpoints.trained import OtherSize
    from vitlab.evaluate._checkpoint import evaluate_checkpoint

    own = own_settings(settings, "data")
    typed({"data": data}, settings)
    if resizing and img_size is None:
        raise UserError(f"how to resize ({', '.join(resizing)}), but not to what: set img_size")
    size = None if img_size is None else read_as(OtherSize, {"img_size": img_size, **resizing})
    return evaluate_checkpoint(path, data, device, _computing(Path(path)), among, own, size)


def _computing(path: Path) -> "Computing":
    """How the run was trained that stands at a path, or around a checkpoint folder; as it is usual if none does."""
    from vitlab.evaluate._checkpoint import Computing
    from vitlab.records.run import Environment, run_at
    from vitlab.train.machine.choices import recorded_choices

    run = run_at(path)
    if run is None or not Environment.exists(run):
        return Computing()
    choices = recorded_choices(run)
    return Computing(choices.compute_dtype, choices.kernel)


class DataLook(NamedTuple):
    """What was found in a data set; its classes; the unreadable pictures by split; the page, if one was asked for."""

    found: "Found"
    classes: tuple[str, ...]
    unreadable: dict[str, list[str]]
    page: Path | None


def look(data: str, settings: Settings = NONE, out: str | Path | None = None) -> DataLook:
    """A look at a data set, named as after --data: splits, classes, what is left out, what is odd. `settings` are those
    of a run's data, `data.class_depth` for one; `out` is the file of a page with the first pictures of every class.

    Raises DataError where the set cannot be read, or only in ways that contradict each other.
    """
    from vitlab.data.contact_sheet import contact_sheet
    from vitlab.data.named import data_named
    from vitlab.report.data_page import data_page

    own = own_settings(settings, "data")
    typed({"data": data}, settings)
    images = data_named(data, {"img_size": _SHEET_SIZE}, own).look()
    assert images.found is not None
    page = None
    if out is not None:
        page = data_page(data, images.found, contact_sheet(images, _SHEET_LENGTH)).save(Path(out))
    unreadable = {split: list(names) for split, names in images.unreadable.items() if names}
    return DataLook(images.found, images.class_names, unreadable, page)


# ------------------------------------------------------------------------------------------------------------ studies


class PlannedStudy(NamedTuple):
    """A study that is checked and costed, and not trained: its plan, and about how long it will take here."""

    plan: "Plan"
    constraints: "Constraints"
    forecast: "Forecast"
    runs: int


def read_study(
    what: "str | StudySpec",
    seeds: int | None = None,
    verdicts: bool | None = None,
    settings: Settings = NONE,
    console: "Console | None" = None,
) -> "StudySpec":
    """The study of a name or a file, `"positions:digits"`, `"mine.py"`, with settings of its base changed."""
    from vitlab.study.files import adjusted, read_study_spec

    study = read_study_spec(what) if isinstance(what, str) else what
    typed(settings, None if isinstance(what, str) else what)
    return adjusted(study, settings, seeds, verdicts, None if console is None else console.print)


def plan_study(
    what: "str | StudySpec",
    *,
    seeds: int | None = None,
    verdicts: bool | None = None,
    jobs: int | None = None,
    stack: bool | None = None,
    overrides: "Overrides | Settings" = NONE,
    on: str | Settings = "local",
    console: "Console | None" = None,
    settings: Settings = NONE,
) -> PlannedStudy:
    """Check and cost every cell of a study. Raises SpecError naming every cell that cannot be, and why."""
    from vitlab.study.execution import constraints_of
    from vitlab.study.executor._base import executor_named
    from vitlab.study.forecast import Forecast, forecast
    from vitlab.study.plan import plan
    from vitlab.train.machine.choices import Overrides

    typed(on, setting="on")
    read = read_study(what, seeds, verdicts, settings, console)
    with going_on(console) as say:
        planned = plan(read, say)
    constraints = constraints_of(planned, read_as(Overrides, overrides), jobs, stack, executor_named(on).here)
    runs = sum(planned.runs_of(cell) for cell in planned.cells)
    expected = forecast(planned, constraints) if constraints.here else Forecast(None, False)
    return PlannedStudy(planned, constraints, expected, runs)


def study(
    what: "str | StudySpec",
    out: str | Path,
    *,
    seeds: int | None = None,
    verdicts: bool | None = None,
    jobs: int | None = None,
    stack: bool | None = None,
    retry: bool = False,
    overrides: "Overrides | Settings" = NONE,
    on: str | Settings = "local",
    console: "Console | None" = None,
    settings: Settings = NONE,
    **more_settings: Any,
) -> "Outcome":
    """Train what the study in `out` lacks, write its outcome and its report; what it says.

    `what` is a StudySpec, the name of a study that comes with vitlab, `"positions:digits"`, or a file of one's own,
    `"mine.py:digits"`, `"mine.json"`; settings are dotted paths of its base. Without `verdicts` any number of seeds
    will do, and no difference is tested.
    `jobs` processes at once, `stack` the seeds of a cell in one process or not: measured and chosen if left open. `on`
    is where they run: an executor's name, or settings with a name.
    """
    from vitlab.interpret.glimpse import keep_glimpses
    from vitlab.report.write import write_study_report
    from vitlab.study.executor._base import executor_named
    from vitlab.study.launch import run_study
    from vitlab.study.outcome import outcome_in
    from vitlab.study.study_dir import StudyDir
    from vitlab.train.machine.choices import Overrides

    typed(on, setting="on")
    out = Path(out)
    run_study(
        read_study(what, seeds, verdicts, {**settings, **more_settings}, console),
        out,
        jobs=jobs,
        stack=stack,
        overrides=read_as(Overrides, overrides),
        retry=retry,
        executor=executor_named(on),
        console=console,
    )
    with going_on(console, "writing the report"):
        study_dir = StudyDir(out)
        computed = outcome_in(study_dir)
        computed.write(out)
        keep_glimpses(out, computed)
        write_study_report(study_dir, computed)
    return computed


def answers(outcome: "Outcome") -> list[str]:
    """What a study found, in sentences."""
    from vitlab.report.answers import answers as sentences

    return sentences(outcome)


def command_to_decide(outcome: "Outcome", folder: str | Path) -> str | None:
    """What has a study train as many seeds more as would decide what is suggestive; None if nothing is."""
    from vitlab.report.study_records import command_to_decide as command

    return command(outcome, Path(folder))


def outcome(path: str | Path) -> "Outcome | None":
    """What the records of a study say, None of a run. Raises DataError if a folder holds neither, or
    if a record is damaged.
    """
    from vitlab.report.write import is_study
    from vitlab.study.outcome import outcome as computed

    return computed(Path(path)) if is_study(Path(path)) else None


def report(path: str | Path, other: str | Path | None = None, out: str | Path | None = None) -> Path:
    """Write the report of a run or a study, or of two side by side; the path of the page."""
    from vitlab.report.write import write_report

    return write_report(Path(path), _path(other), _path(out))


def reported(path: str | Path, other: str | Path | None = None, out: str | Path | None = None) -> "Report":
    """The same; the page, and of a study its outcome, so that this need not be computed again."""
    from vitlab.report.write import reported as written

    return written(Path(path), _path(other), _path(out))


def _path(given: str | Path | None) -> Path | None:
    return Path(given) if given else None
