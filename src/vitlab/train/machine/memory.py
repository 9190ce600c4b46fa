"""Memory: how much was used at most, and what to lower when there is not enough."""

import ctypes
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from vitlab.base.errors import UserError
from vitlab.models.cost import num_params
from vitlab.train.machine.choices import Choices, Overrides, memory_of
from vitlab.train.spec import RunSpec

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> None:
    """Have the allocator keep what a training step frees, for the next step; only glibc is asked.

    It gives every large tensor fresh pages otherwise, which the kernel hands over one by one and zeroed: of a step
    whose activations are large that is more than half. The process's peak is what it was; it is not given back.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def check_room(specs: Sequence[RunSpec], device: torch.device) -> None:
    """Refuse what cannot be held at all, before anything of it is: counted, not tried. Raises UserError.

    Weights and their gradient are counted, and the pixels of a batch; whatever else a training needs is found out.
    """
    total, spec = memory_of(device), specs[0]
    weights = 2 * 4 * len(specs) * num_params(spec.model)
    if weights > total:
        raise UserError(
            f"the model's weights and their gradient take {_gib(weights)}, and {device} has {_gib(total)}: lower "
            "model.embed_dim or model.depth"
        )
    pixels = spec.batch_size * spec.data.in_chans * math.prod(spec.data.img_size)
    if pixels > total:
        raise UserError(
            f"batch_size={spec.batch_size}: its pictures take {_gib(pixels)}, and {device} has {_gib(total)}"
        )


def _gib(num_bytes: float) -> str:
    return f"{num_bytes / 2**30:,.0f} GiB"


@contextmanager
def naming_the_setting(spec: RunSpec, choices: Choices | Overrides) -> Iterator[None]:
    """Turn an allocation that failed into a UserError that says what to lower."""
    micro_batch = choices.micro_batch or spec.batch_size
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        on_cpu = "DefaultCPUAllocator" in str(error)  # a plain RuntimeError
        if not (on_cpu or isinstance(error, MemoryError | torch.OutOfMemoryError)):
            raise
        raise UserError(
            f"out of memory on {choices.device or 'this device'}, micro-batch {micro_batch} of "
            f"batch_size={spec.batch_size}: {_remedy(micro_batch, bool(choices.checkpointing))}"
        ) from error


def _remedy(micro_batch: int, checkpointing: bool) -> str:
    """What to change next; the result stays the same as long as that is possible."""
    if micro_batch > 1:
        return f"lower it with --micro-batch {micro_batch // 2} (the same result in less memory)"
    if not checkpointing:
        return "the batch is one image already; add --checkpointing (the same result in less memory)"
    return "the batch is one image already; lower model.embed_dim or model.depth"


def forget_peak(device: str) -> None:
    """Let a GPU's peak be that of what comes now; a CPU's is its process's, whatever else that has trained."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_bytes(device: str) -> int:
    """The most memory held at once: the device's for a GPU, the process's for a CPU."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return process_peak_bytes()


def process_peak_bytes() -> int:
    """The most memory that this process held at once."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's figure would include that of the process that started this one
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
