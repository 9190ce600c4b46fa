"""The page of whatever stands in a folder: a run, a study, or two of either."""

from pathlib import Path

from vitlab.report.page import write_run_report
from vitlab.report.side_by_side import is_study, write_side_by_side
from vitlab.report.study import write_study_report


def write_report(path: Path, other: Path | None = None, out: Path | None = None) -> Path:
    """Write the page of the run or study in `path`, or of it and `other` side by side; the page.

    It is `path/report.html`, or `path/against_OTHER.html`, unless `out` says otherwise. Raises UserError for what
    cannot be compared, DataError if a folder holds neither or a record is damaged.
    """
    if other is not None:
        return write_side_by_side(path, other, out or path / f"against_{other.resolve().name}.html")
    write = write_study_report if is_study(path) else write_run_report
    return write(path, out or path / "report.html")
