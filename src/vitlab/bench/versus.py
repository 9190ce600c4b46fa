"""The contest of vitlab with its peers on one job: images/s, ratios, the fraction of the machine's peak, memory."""

import importlib
import math
import time
from collections.abc import Sequence
from typing import Any

import torch

from vitlab.base.env import environment
from vitlab.base.errors import UserError, unknown
from vitlab.base.going_on import Say, unsaid
from vitlab.base.spec import component_names, to_dict
from vitlab.bench.contest import Budget, Contestant, matrix_product, ratio, run_rounds
from vitlab.bench.memory import peak_memory
from vitlab.bench.work import Job, ours, plain
from vitlab.models.cost import cost
from vitlab.train.machine.choices import Overrides

TIMING = 0.6  # of the time there is, until the last round has to end; what is left is for measuring memory


def peer_names() -> tuple[str, ...]:
    """The libraries that there is a file for."""
    return component_names("vitlab.bench.peers")


def versus(
    job: Job, names: Sequence[str], rounds: int, overrides: Overrides, seconds: float = math.inf, say: Say = unsaid
) -> dict[str, Any]:
    """Time everybody in turn; the figures as plain values, see `docs/results.md`.

    In `seconds` it ends, if two rounds can: there are fewer than `rounds` then, and what is left out is `missing`.
    """
    for name in names:
        if name not in peer_names():
            raise UserError(unknown("peer", name, peer_names()))
    if names and (reason := plain(job.model)):
        raise UserError(f"--against {','.join(names)}: this model {reason}, which the peers do not have")
    whole, timing = Budget(seconds), Budget(TIMING * seconds)
    say("choosing how vitlab computes")
    mine, choices = ours(job, overrides)
    theirs, missing = _peers(names, job, job.has_bf16 or overrides.precision == "bf16", say)
    everybody = [mine, *(c for contestants in theirs.values() for c in contestants)]
    low = any("bf16" in contestant.setting for contestant in everybody)
    peaks = [matrix_product(dtype, job.device) for dtype in (torch.float32, *([torch.bfloat16] if low else []))]
    taken = run_rounds([*everybody, *peaks], job.device, rounds, budget=timing, say=say)
    missing |= _measure_memory(everybody, job, choices.as_overrides(), whole, say)
    return {
        "job": {"mode": job.mode, "batch_size": job.batch_size, "rounds": taken, "model": to_dict(job.model)},
        "vitlab": _figures(mine, job, peaks) | {"choices": to_dict(choices)},
        "peers": {name: _versus_one(mine, settings, job, peaks) for name, settings in theirs.items() if settings},
        "missing": missing,
        "peak_flops_per_second": {peak.setting: peak.images_per_second for peak in peaks},
        "env": environment(),
    }


def _peers(
    names: Sequence[str], job: Job, with_bf16: bool, say: Say
) -> tuple[dict[str, list[Contestant]], dict[str, str]]:
    """The peers' contestants, and what is missing of them and why."""
    theirs: dict[str, list[Contestant]] = {}
    missing = {} if with_bf16 else {"bf16": "this CPU has no units for it; --precision bf16 times it all the same"}
    for name in names:
        say(f"building {name}'s models")
        try:
            built = list(importlib.import_module(f"vitlab.bench.peers.{name}").contestants(job))
        except ImportError as error:
            missing[name], built = f"not installed: {error}", []
        theirs[name] = [contestant for contestant in built if with_bf16 or "bf16" not in contestant.setting]
    return theirs, missing


def _measure_memory(
    everybody: Sequence[Contestant], job: Job, settled: Overrides, budget: Budget, say: Say
) -> dict[str, str]:
    """Everybody's peak, as long as another one that takes as long as the longest still fits; what is missing then."""
    longest, left_out = 2 * max(max(contestant.seconds) for contestant in everybody), []  # a call, and the second
    for contestant in everybody:
        if not budget.allows(longest):
            left_out.append(str(contestant))
            continue
        say(f"memory of {contestant}")
        started = time.perf_counter()
        contestant.peak_memory_bytes = peak_memory(contestant, job, settled)
        longest = max(longest, time.perf_counter() - started)
    return {"memory": f"no time was left for {'; '.join(left_out)}; --minutes gives more"} if left_out else {}


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
