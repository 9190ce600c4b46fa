"""The environment of a run: machine, system, versions, commit, command and time. No torch; its facts the caller adds.

Whatever a system does not tell is None, never a guess.
"""

import importlib.metadata
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

PACKAGES = (
    *("vitlab", "torch", "numpy", "scipy", "datasets", "safetensors", "pillow", "scikit-learn", "tensorboard"),
    *("torchvision", "timm", "transformers", "vit-pytorch"),
)
CGROUPS = Path("/sys/fs/cgroup")
# What decides a processor's speed on matrix products: vector width, and bf16 and int8 products
INSTRUCTIONS = (
    *("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8"),  # x86
    *("asimd", "bf16", "i8mm", "sve", "sve2"),  # Arm
)


def environment() -> dict[str, Any]:
    """The facts for `env.json`, as JSON values."""
    return {
        "hardware": hardware(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "versions": versions(),
        "commit": commit(),
        "command": command(sys.argv),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def hardware() -> dict[str, Any]:
    """Processor, the cores this process may use, memory in bytes, and the instructions that matter, if known."""
    cpuinfo = _cpuinfo()
    flags = cpuinfo.get("flags") or cpuinfo.get("Features")
    return {
        "cpu": cpuinfo.get("model name") or _mac_cpu() or platform.processor() or platform.machine() or None,
        "cores": usable_cores(),
        "ram_bytes": usable_memory(),
        "instructions": None if flags is None else [name for name in INSTRUCTIONS if name in flags.split()],
    }


def usable_cores() -> int | None:
    """The cores that this process may run on, which in a container can be fewer than the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for limit in _cgroup("cpu.max"):  # "200000 100000": of every 100 ms of the clock 200 ms of processors
        quota, _, period = limit.partition(" ")
        if cores and quota.isdigit() and period.isdigit() and int(period):
            cores = max(1, min(cores, -(-int(quota) // int(period))))
    return cores


def usable_memory() -> int:
    """Bytes of memory that this process may hold: the machine's, or what its container is given."""
    import psutil  # not for every command that starts

    limits = [int(limit) for limit in _cgroup("memory.max") if limit.isdigit()]
    return min([psutil.virtual_memory().total, *limits])


def _cgroup(name: str) -> Iterator[str]:
    """What a limit's file says in this process's control group and in those that it is part of (Linux, version 2)."""
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip()
    except OSError:
        return
    group = CGROUPS / own.lstrip("/")
    for place in (group, *group.parents):
        if place.is_relative_to(CGROUPS):
            with suppress(OSError):
                yield (place / name).read_text(encoding="utf-8").strip()


def processes_here() -> int:
    """How many processes of this job share this machine: those that torchrun started here, else this one alone."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def process_cores() -> int:
    """This process's share of the machine's cores, at least one."""
    return max(1, (usable_cores() or 1) // processes_here())


@cache
def versions() -> dict[str, str]:
    """The installed ones of `PACKAGES`, with their versions."""
    installed = {}
    for name in PACKAGES:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def commit(source: Path = Path(__file__)) -> str | None:
    """The git commit that holds `source`, with "-dirty" if tracked files differ from it; None outside a checkout.

    A package installed inside somebody else's checkout is not tracked there, so that commit is not taken for its own.
    """
    if _output("git", "-C", str(source.parent), "ls-files", "--error-unmatch", source.name) is None:
        return None
    return _output("git", "-C", str(source.parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def command(arguments: list[str]) -> str:
    """A command line to type again: the program by its name, not by where it is installed; torchrun before it."""
    program = Path(arguments[0])
    words = ["-m", program.parent.name] if program.stem == "__main__" else [program.name]
    if processes_here() > 1:
        words = ["torchrun", "--nproc-per-node", str(processes_here()), *words]
    elif words[0] == "-m":
        words = ["python", *words]
    return shlex.join([*words, *arguments[1:]])


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first core; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return dict(re.findall(r"^([^\t:]+?)\s*: (.*)$", text.partition("\n\n")[0], flags=re.MULTILINE))


def _mac_cpu() -> str | None:
    return _output("sysctl", "-n", "machdep.cpu.brand_string") if sys.platform == "darwin" else None


def _output(*words: str) -> str | None:
    """What a command prints, or None if it is not there or fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
