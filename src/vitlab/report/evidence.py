"""What documents say of evidence: records in `evidence/NAME`, of benches in `bench/results`.

A document marks a place, and everything in it is written from the records:

    <!-- evidence demo -->                   the answers of a study, or a table of runs
    <!-- end -->
    <!-- evidence cpu-r0_vit-train -->       the tables of a bench
    <!-- end -->

So no figure there is typed, and a test tells if one was changed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from vitlab.base.files import read_json
from vitlab.base.options import in_words
from vitlab.base.words import counted
from vitlab.records.inside import FILE, read_inside
from vitlab.records.run import Environment, RunDeclaration, read_result
from vitlab.report import error_rates, inside_words, speed
from vitlab.report.answers import answers
from vitlab.stats.crossed import ScoreTable
from vitlab.stats.describe import describe
from vitlab.study.outcome import outcome
from vitlab.study.study_dir import StudyDir

ROOM = "evidence"
BENCHES = Path("bench/results")
_PLACE = re.compile(r"(<!-- evidence (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str, root: Path) -> str:
    """A document with all its places written from the records under `root`."""
    return _PLACE.sub(lambda place: f"{place[1]}{said(root, place[2])}\n{place[3]}", text)


def said(root: Path, name: str) -> str:
    """What the records of that name say, as Markdown: those of a bench, of a study, or of some runs."""
    bench, folder = root / BENCHES / f"{name}.json", root / ROOM / name
    if bench.is_file():
        figures = read_json(bench)
        lines = error_rates.markdown(figures) if "studies" in figures else speed.markdown(figures)
    elif (folder / FILE).is_file():
        lines = inside_words.markdown(read_inside(folder))
    else:
        lines = _study(folder) if StudyDir(folder).is_study else _runs(folder)
    return "\n".join(lines)


def _study(folder: Path) -> Iterator[str]:
    found = outcome(folder)
    runs = [folder / run.folder for cell in found.cells for run in cell.runs if run.folder]
    yield f"`{_command(runs)}`, {_where(runs)}:"
    yield ""
    for sentence in answers(found):
        yield f"- {sentence}"


def _runs(folder: Path) -> Iterator[str]:
    runs = sorted(path.parent for path in folder.rglob(RunDeclaration.file))
    declared = [RunDeclaration.read(run) for run in runs]
    results = [result for run, spec in zip(runs, declared, strict=True) if (result := read_result(run, spec))]
    name = f"test_{declared[0].selects.partition('_')[2]}"
    metric = declared[0].metrics[name]
    yield f"`{_command(runs)}`, {_where(runs)}:"
    yield ""
    yield "| | mean | standard deviation | lowest – highest | each |"
    yield "|---|---|---|---|---|"
    scores = describe(ScoreTable([result.metrics[name] for result in results]))
    each = ", ".join(metric.written(result.metrics[name]) for result in results)
    spread = "–" if scores.std is None else metric.written(scores.std)
    low, high = (metric.written(value or 0.0) for value in (scores.lowest, scores.highest))
    mean, found = metric.written(scores.mean or 0.0), f"test {metric.title}, {counted(scores.n, 'run')}"
    yield f"| {found} | {mean} | {spread} | {low} – {high} | {each} |"
    times = describe(ScoreTable([result.metrics["train_seconds"] for result in results]))
    shortest, longest = times.lowest or 0.0, times.highest or 0.0
    yield f"| training time, s | {times.mean:.1f} | {times.std or 0.0:.1f} | {shortest:.1f} – {longest:.1f} | |"


def _command(runs: list[Path]) -> str:
    """What the last of them was asked for by."""
    last = max((Environment.read(run) for run in runs), key=lambda env: env.started or "")
    return last.command or "the command was not recorded"


def _where(runs: list[Path]) -> str:
    """On what they ran: machine, versions and commit, as far as all agree."""
    told = [Environment.read(run) for run in runs]
    cores = {f"{env.hardware.get('cpu', 'an unknown processor')}" for env in told}
    torch = {env.versions.get("torch", "?") for env in told}
    commits = {(env.commit or "no commit")[:7] for env in told}
    ways = [{in_words({name: env.choices.get(name)}) for env in told} - {""} for name in ("precision", "kernel")]
    return "; ".join(
        [
            ", ".join(sorted(cores)),
            f"torch {', '.join(sorted(torch))}",
            ", ".join(way for some in ways for way in sorted(some)),
            f"commit {', '.join(sorted(commits))}",
        ]
    )
