"""The contest of vitlab with its peers on one job: images/s, ratios, the fraction of the machine's peak, memory."""

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from vitlab.base.env import environment
from vitlab.base.errors import UserError, unknown
from vitlab.base.spec import component_names, to_dict
from vitlab.bench.contest import Contestant, matrix_product, ratio, run_rounds
from vitlab.bench.memory import peak_memory
from vitlab.bench.work import Job, ours, plain
from vitlab.models.cost import cost
from vitlab.train.machine.choices import Overrides


def peer_names() -> tuple[str, ...]:
    """The libraries that there is a file for."""
    return component_names("vitlab.bench.peers")


def versus(job: Job, names: Sequence[str], rounds: int, overrides: Overrides) -> dict[str, Any]:
    """Time everybody in turn; the figures as plain values, see `docs/results.md`."""
    for name in names:
        if name not in peer_names():
            raise UserError(unknown("peer", name, peer_names()))
    if names and (reason := plain(job.model)):
        raise UserError(f"--against {','.join(names)}: this model {reason}, which the peers do not have")
    mine, choices = ours(job, overrides)
    missing: dict[str, str] = {}
    theirs = {name: list(_contestants(name, job, missing)) for name in names}
    everybody = [mine, *(c for contestants in theirs.values() for c in contestants)]
    low = any("bf16" in contestant.setting for contestant in everybody)
    peaks = [matrix_product(dtype, job.device) for dtype in (torch.float32, *([torch.bfloat16] if low else []))]
    run_rounds([*everybody, *peaks], job.device, rounds)
    for contestant in everybody:
        contestant.peak_memory_bytes = peak_memory(contestant, job, overrides)
    return {
        "job": {"mode": job.mode, "batch_size": job.batch_size, "rounds": rounds, "model": to_dict(job.model)},
        "vitlab": _figures(mine, job, peaks) | {"choices": to_dict(choices)},
        "peers": {name: _versus_one(mine, settings, job, peaks) for name, settings in theirs.items() if settings},
        "missing": missing,
        "peak_flops_per_second": {peak.setting: peak.images_per_second for peak in peaks},
        "env": environment(),
    }


def _contestants(name: str, job: Job, missing: dict[str, str]) -> Iterator[Contestant]:
    try:
        peers = importlib.import_module(f"vitlab.bench.peers.{name}").contestants(job)
        yield from (peer for peer in peers if job.has_bf16 or "bf16" not in peer.setting)
    except ImportError as error:
        missing[name] = f"not installed: {error}"


def _figures(contestant: Contestant, job: Job, peaks: Sequence[Contestant]) -> dict[str, Any]:
    """`fraction_of_peak` is of the matrix-product peak of the precision that the contestant computes in."""
    low = "bf16" in contestant.setting
    peak = next(p for p in peaks if p.setting == ("bfloat16" if low else "float32"))
    spent = cost(job.model)
    flops = spent.step_flops if job.mode == "train" else spent.flops
    return {
        "setting": contestant.setting,
        "images_per_second": contestant.images_per_second,
        "fraction_of_peak": contestant.images_per_second * flops / peak.images_per_second,
        "peak_memory_bytes": contestant.peak_memory_bytes,
        "seconds_per_round": contestant.seconds,
        "differs": contestant.differs,
    }


def _versus_one(mine: Contestant, theirs: list[Contestant], job: Job, peaks: Sequence[Contestant]) -> dict[str, Any]:
    """One peer: at its best setting, and as it comes."""
    figures = [_figures(c, job, peaks) | {"ratio": ratio(mine, c)} for c in theirs]
    best = min(figures, key=lambda f: f["ratio"])
    return {"ratio": best["ratio"], "setting": best["setting"], "best": best, "as_it_comes": figures[0], "all": figures}
