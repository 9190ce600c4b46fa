"""Processes that train the same runs together: `torchrun --nproc-per-node 2 -m vitlab train …`.

Every process holds the same weights and takes its part of every global batch. What they add up (gradients, scores) is
then the same in all of them, and so is every decision that follows from it; only the first process writes files.
A process that is alone is the ordinary case: nothing here costs it anything.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from vitlab.base.durations import roughly
from vitlab.base.env import processes_here
from vitlab.base.errors import UserError

T = TypeVar("T")
# The others wait for the first, which may decode a large data set for hours; if it dies, its connection breaks at once
PATIENCE = timedelta(days=30)


class ProcessLost(UserError):
    """Another process of the job ended before its time."""


@dataclass(frozen=True)
class Processes:
    """Which of `count` processes this one is: `rank`, from 0.

    `local`: how many of them share this machine; `local_rank`: which of those it is.
    """

    rank: int = 0
    count: int = 1
    local: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def shard(self, size: int) -> slice:
        """This process's share of `size` things in a row; the shares differ by one at most."""
        return slice(size * self.rank // self.count, size * (self.rank + 1) // self.count)

    def all_reduce(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor, in place, by its sum over all processes."""
        if self.count > 1:
            with explaining_a_lost_process():
                for tensor in tensors:
                    dist.all_reduce(tensor)

    def all_gather(self, part: Tensor, size: int) -> Tensor:
        """part [R, m, …] of `size` things in a row, this process's share -> everybody's [R, size, …]"""
        if self.count == 1:
            return part
        whole = part.new_zeros(len(part), size, *part.shape[2:])
        whole[:, self.shard(size)] = part
        self.all_reduce([whole])
        return whole

    def all_reduce_max(self, values: Sequence[int]) -> list[int]:
        """The largest of each value over all processes."""
        if self.count == 1:
            return list(values)
        largest = torch.tensor(values)
        with explaining_a_lost_process():
            dist.all_reduce(largest, op=dist.ReduceOp.MAX)
        return largest.tolist()

    def all_agree(self, value: int) -> bool:
        """Whether all processes have come here with the same value; the answer is the same in all of them."""
        return self.all_reduce_max([value, -value]) == [value, -value]

    def barrier(self) -> None:
        """Until all processes have come here."""
        self.all_reduce_max([0])

    def abort(self, mistake: UserError) -> NoReturn:
        """End for a mistake that all processes see alike: the first one says it."""
        raise mistake if self.is_main else SystemExit(2)

    def set_gpu(self) -> None:
        """Compute on a GPU of one's own, where there is one for each; else take turns at those that there are."""
        if self.count > 1 and torch.cuda.is_available():
            torch.cuda.set_device(self.local_rank % torch.cuda.device_count())

    def broadcast_from_main(self, work: Callable[[], T]) -> T:
        """Let the first process do it: all have its result. If it is a mistake, the first says so and all end."""
        if self.count == 1:
            return work()
        said: list[T | UserError | None] = [None]
        if self.is_main:
            try:
                said = [work()]
            except UserError as mistake:
                said = [mistake]
        with explaining_a_lost_process():
            dist.broadcast_object_list(said)
        if isinstance(said[0], UserError):
            self.abort(said[0])
        return said[0]  # type: ignore[return-value]  # what the first process's work gave

    def main_first(self, work: Callable[[], T]) -> T:
        """Let all do it, the first process before the others, which find what it left in the cache."""
        done: list[T] = []
        self.broadcast_from_main(lambda: done.append(work()))
        return done[0] if done else work()


ALONE = Processes()


@contextmanager
def explaining_a_lost_process() -> Iterator[None]:
    """Turn a broken connection into a sentence."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessLost(
            f"{_what_happened(error)}; start the same command with --resume, with as many processes as you like, to go "
            f"on from the last checkpoint ({_reason(error)})"
        ) from error


def _what_happened(error: RuntimeError) -> str:
    """A process that takes too long has not ended."""
    if "timed out" not in str(error).lower():
        return "another process of this job ended, so this one ends too"
    waited = roughly(PATIENCE.total_seconds())
    return f"this process has waited {waited} for another one of the job, which may still be preparing the data"


def _reason(error: RuntimeError) -> str:
    """What the connection's library says, without its advice."""
    return str(error).splitlines()[0].partition(". ")[0]


@contextmanager
def process_group() -> Iterator[Processes]:
    """The processes that torchrun started together with this one; alone without torchrun.

    Tensors on a GPU are added up by NCCL, those on the CPU by gloo. NCCL wants a GPU for each process; where there are
    fewer, gloo does both. CUDA is not started here: what must be settled before that is not known yet.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    local = processes_here()
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.device_count() >= local else "gloo", timeout=PATIENCE)
    yield Processes(dist.get_rank(), count, local, int(os.environ["LOCAL_RANK"]))
    dist.destroy_process_group()  # only after a good end: the others may be gone, and this would wait for them
