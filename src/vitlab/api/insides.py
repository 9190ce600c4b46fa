"""What is inside of a trained model: what it loses without one of its parts, and a page to look on."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vitlab.api.models import own_settings
from vitlab.base.going_on import Say, unsaid
from vitlab.base.trust import typed

if TYPE_CHECKING:
    from torch import Tensor

    from vitlab.data.in_hand import Picture
    from vitlab.data.sets._base import DataSpec
    from vitlab.evaluate._checkpoint import Asked
    from vitlab.interpret.knockout.curve import Curve
    from vitlab.interpret.knockout.measure import Batches, Replacement
    from vitlab.interpret.knockout.outcome import KnockoutOutcome
    from vitlab.records.inside import Inside
    from vitlab.study.study_dir import StudyDir

MOST = 64  # pictures on a page
SHOWN, TESTED = 8, 1_000  # test images on a page, and those that parts are knocked out on
_BATCH = 64  # images: several knock-outs of a batch run side by side
Progress = Callable[[float], object]  # is told which share of the work is done


class Knockouts(NamedTuple):
    """What every knock-out came to; and of one model with heads how many of these can go, None otherwise."""

    outcome: "KnockoutOutcome"
    curve: "Curve | None"

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {**self.outcome.as_json(), "curve": None if self.curve is None else self.curve._asdict()}


def knockout(
    path: str | Path,
    data: "str | DataSpec | None" = None,
    *,
    replacement: "Replacement" = "zero",
    device: str | None = None,
    settings: Mapping[str, Any] = {},
    images: int | None = None,
    progress: Progress = lambda share: None,
) -> Knockouts:
    """Knock out every head, attention, MLP, token of the model's own, its positions, and quarters of the patches, one
    at a time, on the test images: of a run, of all seeds of one, or of any model that `load` takes.

    `data` and `settings` as in `evaluate`; in a part's place stand zeros, its `mean` over the images, or another
    image's value (`resample`). With `images` so many of them, evenly spaced. Raises UserError for what a user can mend.
    """
    typed({"data": data}, settings)
    paths = _seeds(Path(path))
    models = (_asked(each, data, device, settings) for each in paths)  # one after the other
    return _knocked_out(models, len(paths), images, replacement, progress)


def _knocked_out(
    models: "Iterable[Asked]", total: int, images: int | None, replacement: "Replacement", progress: Progress
) -> Knockouts:
    """All parts of `total` models, the seeds of one run, knocked out; of a single one the curve of its heads, too."""
    from vitlab.interpret.knockout.curve import head_curve
    from vitlab.interpret.knockout.measure import measure
    from vitlab.interpret.knockout.outcome import outcome
    from vitlab.interpret.knockout.parts import knockouts

    measured = []
    for number, asked in enumerate(models):
        model, (batches, count) = asked.trained.model, _batches(asked, images)
        parts = knockouts(model)
        curved = total == 1 and any(part.kind == "head" for part in parts)
        told = _told(progress, number, total, count, both=curved)
        measured.append(measure(model, batches, parts, replacement, told))
    found = outcome(parts, measured, replacement)
    return Knockouts(found, head_curve(model, batches, parts, found, told) if curved else None)


def _seeds(path: Path) -> list[Path]:
    """The runs of all seeds in a folder; or what stands at the path, whatever it is."""
    from vitlab.records.run import RunDeclaration

    seeds = sorted(path.glob("seed-*"), key=lambda each: (len(each.name), each.name))
    runs = [each for each in seeds if RunDeclaration.exists(each)]
    return runs if runs and not RunDeclaration.exists(path) else [path]


def _asked(path: Path, data: "str | DataSpec | None", device: str | None, settings: Mapping[str, Any]) -> "Asked":
    from vitlab.base.errors import UserError
    from vitlab.evaluate._checkpoint import ask

    asked = ask(path, data, device, own=own_settings(settings, "data"))
    if not asked.trained.task.classifies or not asked.trained.model.spec.num_classes:
        raise UserError(f"{path}: its task, {asked.trained.task.name}, does not classify, so no accuracy can be lost")
    return asked


def _batches(asked: "Asked", images: int | None) -> "tuple[Batches, int]":
    """The test images, or so many of them, prepared, as often as they are asked for; and how many they are."""
    from dataclasses import replace

    import torch

    every, count = len(asked.test), min(images or len(asked.test), len(asked.test))
    places = torch.arange(count) * every // count
    mixed = torch.randperm(count, generator=torch.Generator().manual_seed(0))  # of a folder neighbours are of one class
    chosen = asked.test.subset(places[mixed])
    size = next(size for size in range(_BATCH, 1, -1) if count % size != 1)  # an image alone has no other to stand in
    subject = replace(asked.subject, batch_size=size, pictures=lambda split: chosen)

    def prepared() -> "Iterator[Any]":
        for batch in subject.batches("test"):
            yield batch.images[0], batch.labels

    return prepared, count


def _told(progress: Progress, number: int, models: int, images: int, both: bool) -> Callable[[int], object]:
    """Counts images through one of several models, once or, with the curve of the heads, twice."""
    done, wanted = number * images, models * images * (2 if both else 1)

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done / wanted)

    return count


def inspect(
    path: str | Path,
    out: str | Path | None = None,
    other: str | Path | None = None,
    *,
    images: "Sequence[Picture] | int" = SHOWN,
    data: "str | DataSpec | None" = None,
    test_images: int = TESTED,
    device: str | None = None,
    settings: Mapping[str, Any] = {},
    say: Say = unsaid,
    progress: Progress = lambda share: None,
) -> Path:
    """Write one page, `out/inside.html`, about what goes on inside a model, or two: where each patch looks, what an
    answer is made of, what goes without each part. All numbers stand beside it, in `inside.npz`; the page's path.

    Without `out` it is a folder `inside` in that of the model. Of a study there is a page of each cell, of its first
    run that has its weights, and the study's report, whose path it is, links to them.

    `images` are pictures, or how many of the test images; `data` is the set of these, without it the one that the run
    was trained on. Of `test_images` of them comes what needs many; 0: without knock-outs. Raises UserError.
    """
    from vitlab.base.errors import UserError
    from vitlab.records.inside import FILE, INSIDE
    from vitlab.report.inside import OTHER, write_inside_page
    from vitlab.study.study_dir import StudyDir

    typed({"data": data}, settings)
    _check_inspect(Path(path), other, None if out is None else Path(out), images)
    if out is None and not Path(path).is_dir():
        raise UserError(f"{path} is no folder in which a page could stand: say where with --out DIR")
    folder = Path(path) / INSIDE if out is None else Path(out)
    if other is None and StudyDir(Path(path)).is_study:
        given = {"images": images, "data": data, "test_images": test_images, "device": device, "settings": settings}
        return _inspect_study(StudyDir(Path(path)), folder, say=say, progress=progress, **given)
    paths = [Path(path), *([Path(other)] if other is not None else [])]
    looks = [_Look(each, data, device, settings, test_images, say, progress) for each in paths]
    if isinstance(images, int):
        pictures, names, labels = looks[0].pictures(images)
    else:
        pictures, names = _in_hand(images)
        labels = ("",) * len(names)
    if not pictures:
        raise UserError("no pictures were given to look at: --images FILE, FOLDER or a number of test images")
    titles = _titles(paths)
    if other is None and (folder / OTHER / FILE).exists():
        shutil.rmtree(folder / OTHER)  # of another pair of models, with pictures of its own
    for each, title, place in zip(looks, titles, (folder, folder / OTHER), strict=False):
        each.inside(pictures, names, labels, title).write(place)
    return write_inside_page(folder, other=folder / OTHER if other is not None else None)


def _check_inspect(path: Path, other: str | Path | None, out: Path | None, images: "Sequence[Picture] | int") -> None:
    """Refuse at once what would come to light after the work. Raises UserError."""
    from vitlab.base.errors import UserError
    from vitlab.checkpoints.hub import absent
    from vitlab.study.study_dir import StudyDir

    for each in (path, *([Path(other)] if other is not None else [])):
        if not each.exists() and not {"#", ":"} & set(str(each)):
            raise UserError(absent(str(each), "; is it a run directory?"))
        if (seeds := _seeds(each)) != [each]:
            raise UserError(f"{each} holds several seeds, and a page is of one model: {seeds[0]}")
    if other is not None and any(StudyDir(Path(each)).is_study for each in (path, other)):
        raise UserError("a study has a page of each of its cells: give it alone, or two of its runs")
    if out is not None and out.exists() and not out.is_dir():
        raise UserError(f"{out} is not a folder: name another one with --out")
    if isinstance(images, int) and not 1 <= images <= MOST:
        raise UserError(f"--images {images}: a page has room for 1 to {MOST} test images")


def _inspect_study(study: "StudyDir", out: Path, say: Say, **given: Any) -> Path:
    """A page of each cell that has a run with weights, and the study's report anew. Raises UserError if none has."""
    from vitlab.base.errors import UserError
    from vitlab.report.write import write_study_report
    from vitlab.study.outcome import outcome_in

    computed, without = outcome_in(study), []
    folders = {cell.name: cell.folder for cell in study.plan().cells}
    for cell in computed.cells:
        run = next((run for run in cell.runs if run.folder and run.status == "finished"), None)
        try:
            if run is None:
                raise UserError("no run has finished")
            inspect(study.path / str(run.folder), out / folders[cell.name], say=say, **given)
        except UserError as refused:
            without.append(f"{cell.name}: {refused}")
            say(without[-1])
    if len(without) == len(computed.cells):
        raise UserError(f"{study.path} has no cell that could be looked into: {without[0]}")
    return write_study_report(study, computed)


class _Look:
    """A model that is looked into, with the test images that it can be asked about, if there are any."""

    def __init__(
        self,
        path: Path,
        data: "str | DataSpec | None",
        device: str | None,
        settings: Mapping[str, Any],
        test_images: int,
        say: Say,
        progress: Progress,
    ):
        from vitlab.checkpoints.trained import load
        from vitlab.devices import pick_device

        self.path, self.test_images, self.say, self.progress = path, test_images, say, progress
        trained = load(path)
        known = data is not None or trained.data is not None
        self.asked = _asked(path, data, device, settings) if known and trained.model.spec.num_classes else None
        self.model = (self.asked.trained.model if self.asked else trained.model).to(pick_device(device)).eval()

    def pictures(self, count: int) -> "tuple[list[Any], tuple[str, ...], tuple[str, ...]]":
        """So many test images, evenly spaced, as arrays; their names and classes."""
        import torch

        from vitlab.base.errors import UserError

        if self.asked is None:
            raise UserError(f"{self.path} does not say what it was trained on: name pictures with --images, or --data")
        test = self.asked.test
        count = min(count, len(test))
        places = torch.arange(count) * len(test) // max(count, 1)
        pixels = test.ask(places)().cpu().movedim(1, -1).numpy()
        labels = test.labels.cpu()[places].tolist()
        names = self.asked.known
        return (
            list(pixels),
            tuple(f"test image {place}" for place in places.tolist()),
            tuple(names[at] for at in labels),
        )

    def _prepared(self, pictures: "list[Any]") -> "Tensor":
        """Of one that cannot be read its name is said. Raises DataError."""
        import torch

        from vitlab.base.errors import DataError
        from vitlab.data.in_hand import name_of

        images = []
        for number, picture in enumerate(pictures, 1):
            try:
                images.append(self.model.prepare([picture]))
            except DataError as error:
                raise DataError(f"{name_of(picture, number)}: {error}") from None
        return torch.cat(images)

    def inside(self, pictures: "list[Any]", names: tuple[str, ...], labels: tuple[str, ...], title: str) -> "Inside":
        """All that is to be shown of the model."""
        from vitlab.interpret.inside import look_inside, shown

        given = shown(self.model, self._prepared(pictures), names, labels)
        if self.asked is None or not self.test_images:
            self.say(f"looking into {title} …")
            return look_inside(self.model, given, title)
        batches, count = _batches(self.asked, self.test_images)
        self.say(f"knocking out the parts of {title}, on {count:,} test images …")
        told = _knocked_out([self.asked], 1, self.test_images, "zero", self.progress).as_json()
        self.say(f"looking into {title} …")
        curve = told.pop("curve")
        return look_inside(self.model, given, title, batches, {"knockouts": told, "curve": curve or {}})


def _in_hand(images: "Sequence[Picture]") -> "tuple[list[Any], tuple[str, ...]]":
    """Pictures that somebody names, those in folders among them, and what they are called."""
    from vitlab.data.in_hand import name_of
    from vitlab.predict import pictures_of

    pictures = list(pictures_of(images))
    names = [Path(name_of(each, number)) for number, each in enumerate(pictures, 1)]
    often = Counter(each.stem for each in names)
    told = (each.stem if often[each.stem] == 1 else f"{each.stem} ({number})" for number, each in enumerate(names, 1))
    return pictures, tuple(told)


def _titles(paths: Sequence[Path]) -> list[str]:
    """As short as tells them apart; of one seed among several the run's folder, too."""
    names = [str(Path(*each.parts[-2:])) if each.name.startswith("seed-") else each.name or str(each) for each in paths]
    return names if len(set(names)) == len(names) else [str(each) for each in paths]
