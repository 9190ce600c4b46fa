"""The most memory that a contestant's work takes.

On a GPU the allocator knows. On a CPU only a process's peak can be read, so each contestant works in a fresh process,
and what that process held before the work began is left out.
"""

import importlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import torch

from vitlab.bench.contest import Contestant
from vitlab.bench.work import Job, ours
from vitlab.train.machine.choices import Overrides
from vitlab.train.machine.memory import process_peak_bytes


def peak_memory(contestant: Contestant, job: Job, overrides: Overrides) -> int:
    """Bytes above what was held before the contestant was built (CPU), or allocated at most (GPU)."""
    if job.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(job.device)
        contestant.work()
        return torch.cuda.max_memory_allocated(job.device)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as alone:
        return alone.submit(_in_fresh_process, contestant.name, contestant.setting, job, overrides).result()


def _in_fresh_process(name: str, setting: str, job: Job, overrides: Overrides) -> int:
    before = process_peak_bytes()
    contestant = _rebuild(name, setting, job, overrides)
    for _ in range(2):
        contestant.work()
    return process_peak_bytes() - before


def _rebuild(name: str, setting: str, job: Job, overrides: Overrides) -> Contestant:
    if name == "vitlab":
        return ours(job, overrides)[0]
    contestants = importlib.import_module(f"vitlab.bench.peers.{name}").contestants(job)
    return next(c for c in contestants if c.setting == setting)
