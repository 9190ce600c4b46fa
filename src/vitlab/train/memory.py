"""Memory: how much was used at most, and what to lower when there is not enough."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from vitlab.base.errors import UserError
from vitlab.train.choices import Choices
from vitlab.train.spec import RunSpec


@contextmanager
def naming_the_setting(choices: Choices, spec: RunSpec) -> Iterator[None]:
    """Turn an allocation that failed into a UserError that says what to lower."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise UserError(
            f"out of memory on {choices.device}, micro-batch {choices.micro_batch} of batch_size={spec.batch_size}; "
            f"lower it with --micro-batch {max(choices.micro_batch // 2, 1)} (the same result in less memory)"
        ) from error


def peak_memory_bytes(device: str) -> int:
    """The most memory held at once: the device's for a GPU, the process's for a CPU."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return process_peak_bytes()


def process_peak_bytes() -> int:
    """The most memory that this process held at once."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's figure would include that of the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024
