"""`vitlab bench`, from Python: speed and memory of this machine, beside other libraries; and how often verdicts err."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from vitlab.api import NONE, Settings, read_as, run_spec
from vitlab.base.errors import UserError, unknown
from vitlab.base.going_on import Say, unsaid


def bench(
    mode: Literal["train", "infer"],
    model: str,
    *,
    against: Sequence[str] = (),
    batch_size: int | None = None,
    rounds: int = 5,
    device: str | None = None,
    precision: str | None = None,
    compiled: bool = False,
    minutes: float = float("inf"),
    say: Say = unsaid,
) -> dict[str, Any]:
    """Training steps or forward passes a second, in turn with other libraries, for so many minutes at most."""
    from vitlab.bench.versus import versus
    from vitlab.bench.work import Job, usual_batch
    from vitlab.devices import pick_device
    from vitlab.models.spec import preset
    from vitlab.train.machine.choices import Overrides

    spec, where = preset(model), pick_device(device)
    job = Job(mode, spec, batch_size or usual_batch(mode, spec, where), where, compiled)
    return versus(job, against, rounds, read_as(Overrides, {"precision": precision}), 60 * minutes, say)


def bench_loader(
    recipe: str, settings: Settings = NONE, *, against: str = "", rounds: int = 5, device: str | None = None
) -> dict[str, Any]:
    """Images a second of a recipe's data path: decoding, augmentation, both."""
    from vitlab.bench.loader import bench_loader as measure
    from vitlab.recipes import changed

    return {"recipe": recipe, **measure(changed(run_spec(recipe), settings), rounds, device, against)}


def bench_export(run: str, formats: Sequence[str] = (), *, rounds: int = 9, say: Say = unsaid) -> dict[str, Any]:
    """Exports of a run beside the run: how many test images both classify alike, and the latency of each."""
    from vitlab.bench.export import PROGRAMS
    from vitlab.bench.export import bench_export as measure

    return measure(run, tuple(formats) or PROGRAMS, rounds, say)


def bench_attention(
    model: str,
    tokens: Sequence[int] = (),
    only: Sequence[str] = (),
    *,
    rounds: int = 5,
    device: str | None = None,
    precision: str | None = None,
    out: Path | None = None,
    say: Say = unsaid,
) -> dict[str, Any]:
    """Every attention and mixer against the number of tokens; figures and picture in `out`, if it is given."""
    from vitlab.bench import attention
    from vitlab.devices import pick_device
    from vitlab.models.spec import preset
    from vitlab.report.mechanisms import save
    from vitlab.train.machine.choices import Overrides, by_rule

    spec = preset(model)
    choices = by_rule(read_as(Overrides, {"device": device, "precision": precision}), spec, 1, 1)
    setting = attention.Setting(spec, pick_device(device), choices.compute_dtype)
    figures = attention.bench_attention(setting, list(tokens) or list(attention.TOKENS), rounds, only, say=say)
    if out is not None:
        save(figures, out)
    return figures


def bench_statistics(
    studies: int = 2_000,
    *,
    only: Sequence[str] = (),
    jobs: int = 1,
    out: Path | None = None,
    say: Say = unsaid,
) -> dict[str, Any]:
    """How often verdicts err, what they see and what intervals cover, over so many simulated studies of every kind;
    figures and picture in `out`, if it is given, where what is done is kept, so that it can be gone on with.
    """
    from vitlab.bench.simulations import KINDS
    from vitlab.bench.statistics import bench_statistics as simulate
    from vitlab.report.error_rates import save

    if odd := [name for name in only if name not in KINDS]:
        raise UserError(f"--only: {unknown('kind of row', odd[0], list(KINDS))}")
    kept = None if out is None else out / "statistics.rows.jsonl"
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
    figures = simulate(studies, only, jobs, kept, say)
    if out is not None:
        save(figures, out)
    return figures


def tables_of_statistics(figures: Settings) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    """The figures of `bench_statistics` as tables: a title, columns, rows."""
    from vitlab.report.error_rates import tables

    return list(tables(figures))
