"""The page of whatever stands in a folder: read, computed, then saved."""

from pathlib import Path
from typing import NamedTuple

from vitlab.base.errors import DataError, UserError
from vitlab.records.inside import FILE
from vitlab.records.outcome import Outcome
from vitlab.records.run import RunDeclaration
from vitlab.report.inside import write_inside_page
from vitlab.report.page import run_page
from vitlab.report.run import read_run
from vitlab.report.side_by_side import names_of, two_runs_page, two_studies_page
from vitlab.report.study import study_page
from vitlab.report.study_records import StudyRecords, read_study
from vitlab.report.template import folder_beside
from vitlab.study.outcome import outcome_in
from vitlab.study.study_dir import StudyDir


class Report(NamedTuple):
    """A page, and of a study what came out."""

    page: Path
    outcome: Outcome | None = None


def write_report(path: Path, other: Path | None = None, out: Path | None = None) -> Path:
    """Write the page of the run or study in `path`, or of it and `other` side by side; the page. See `reported`."""
    return reported(path, other, out).page


def reported(path: Path, other: Path | None = None, out: Path | None = None) -> Report:
    """Write a page; that, and what it was computed from.

    Of what `vitlab inspect` has written it is that page anew, `path/inside.html`. Else it is `path/report.html`, or
    `path/against_OTHER.html`, unless `out` says otherwise; pictures and tables stand in `<stem>_figures/` beside it.
    Raises UserError for what cannot be compared, DataError if a folder holds neither a run nor a study, or a record
    is damaged.
    """
    if (path / FILE).exists():
        return Report(write_inside_page(path, out, other))
    if other is not None:
        return Report(_write_side_by_side(path, other, out))
    if is_study(path):
        study_dir = StudyDir(path)
        computed = outcome_in(study_dir)
        return Report(write_study_report(study_dir, computed, out), computed)
    out = out or path / "report.html"
    return Report(run_page(read_run(path), path.resolve().name, folder_beside(out).name).save(out))


def write_study_report(study_dir: StudyDir, computed: Outcome, out: Path | None = None) -> Path:
    """Write the page of a study whose outcome is computed already; the page."""
    out = out or study_dir.path / "report.html"
    return study_page(read_study(study_dir, computed), out).save(out)


def is_study(path: Path) -> bool:
    """Whether a study stands in `path` and not a run. Raises DataError if neither does."""
    if StudyDir(path).is_study:
        return True
    if RunDeclaration.exists(path):
        return False
    problem = "has neither plan.json nor spec.json" if path.is_dir() else "is not a folder"
    raise DataError(f"{path}: neither a study nor a run: it {problem}")


def _study(path: Path) -> StudyRecords:
    study_dir = StudyDir(path)
    return read_study(study_dir, outcome_in(study_dir))


def _write_side_by_side(a: Path, b: Path, out: Path | None) -> Path:
    studies = is_study(a), is_study(b)
    if studies[0] != studies[1]:
        study, run = (a, b) if studies[0] else (b, a)
        raise UserError(f"{study} is a study and {run} is a run: give two studies or two runs")
    names = names_of(a, b)
    out = out or a / f"against_{names[1].replace('/', '_')}.html"
    folder = folder_beside(out).name
    if studies[0]:
        page = two_studies_page(names, (_study(a), _study(b)), folder)
    else:
        page = two_runs_page(names, (read_run(a), read_run(b)), folder)
    return page.save(out)
