"""A contest: contestants take turns, so that a machine whose speed drifts is the same machine for all of them.

Only ratios taken in one round are compared; a median over the rounds is what is quoted. Where a call takes long, rounds
are fewer: a contest keeps its budget of time, as soon as two rounds are taken.
"""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from vitlab.base.going_on import Say, unsaid

WARM_UP = 2  # calls before anything is timed: kernels are chosen, memory is allocated
LONG = 0.5  # seconds: beside such a call its own warm-up does not count
LEAST_ROUNDS = 2  # however little time there is


@dataclass
class Contestant:
    """Somebody's way to do the same work. `work()` handles `images` images; `differs` says where it is not the same."""

    name: str
    setting: str
    images: int
    work: Callable[[], object]
    differs: str = ""
    seconds: list[float] = field(default_factory=list)  # one figure a round
    peak_memory_bytes: int | None = None

    @property
    def images_per_second(self) -> float:
        """The median over the rounds."""
        return self.images / statistics.median(self.seconds)

    def __str__(self) -> str:
        return f"{self.name}, {self.setting}"


class Budget:
    """Seconds of the clock, from now on."""

    def __init__(self, seconds: float = math.inf):
        self.ends = time.perf_counter() + seconds

    def allows(self, seconds: float) -> bool:
        """Whether what takes so long still fits."""
        return time.perf_counter() + seconds <= self.ends


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was asked to."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def timed(work: Callable[[], object], device: torch.device, calls: int = 1) -> float:
    """Seconds for each of `calls` calls."""
    synchronise(device)
    started = time.perf_counter()
    for _ in range(calls):
        work()
    synchronise(device)
    return (time.perf_counter() - started) / calls


def run_rounds(
    contestants: Sequence[Contestant],
    device: torch.device,
    rounds: int,
    seconds: float = 0.3,
    budget: Budget = Budget(),
    say: Say = unsaid,
) -> int:
    """Let each contestant work once a round, long enough to be timed, in turn; the number of rounds.

    They are `rounds`, or as many as the budget allows, but two at least.
    """
    expected = []
    for contestant in contestants:
        say(f"first call of {contestant}")
        expected.append(_warmed_up(contestant, device))
    taken, a_round = 0, 0.0
    while taken < rounds and (taken < LEAST_ROUNDS or budget.allows(a_round)):
        started = time.perf_counter()
        for contestant, a_call in zip(contestants, expected, strict=True):
            say(f"round {taken + 1} of {rounds}: {contestant}")
            _take_turn(contestant, device, a_call, seconds)
        taken, a_round = taken + 1, time.perf_counter() - started
    return taken


def _take_turn(contestant: Contestant, device: torch.device, a_call: float, seconds: float) -> None:
    if a_call < LONG:
        contestant.work()  # untimed: caches, clocks and memory are still as whoever came before left them
    contestant.seconds.append(timed(contestant.work, device, max(1, round(seconds / a_call))))


def _warmed_up(contestant: Contestant, device: torch.device) -> float:
    """About how many seconds a call takes."""
    first = timed(contestant.work, device)
    return first if first >= LONG else min(first, *(timed(contestant.work, device) for _ in range(WARM_UP - 1)))


def ratio(ours: Contestant, theirs: Contestant) -> float:
    """How many times as fast we are: the median of the ratios taken round by round."""
    return statistics.median(b / a for a, b in zip(ours.seconds, theirs.seconds, strict=True))


def matrix_product(dtype: torch.dtype, device: torch.device, size: int | None = None) -> Contestant:
    """A large square matrix product: what the machine can do at best. Its "images" are floating-point operations."""
    size = size or (8192 if device.type == "cuda" else 2048)
    left, right = (torch.randn(size, size).to(device, dtype) for _ in range(2))
    return Contestant("matrix product", str(dtype).removeprefix("torch."), 2 * size**3, lambda: left @ right)
