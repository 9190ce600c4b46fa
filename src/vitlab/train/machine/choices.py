"""`Choices`: how a run is computed on a machine.

The machine chooses device, precision, attention kernel, micro-batch and threads; the user may choose any of these
instead, and add compilation, gradient checkpointing or deterministic kernels.

These change how fast a run is and how it rounds, not what it is, so they are no part of its spec or id. They are
chosen once, recorded in `env.json`, and used again by every resume. Where a rule is known it decides; on a CPU, where
machines differ, `vitlab.train.machine.autotune` lets the candidates take a few steps of this very model.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from vitlab.base.env import process_cores, usable_memory
from vitlab.base.errors import SpecError
from vitlab.base.options import Precision, in_words
from vitlab.base.spec import Spec, from_dict, to_dict
from vitlab.devices import pick_device
from vitlab.models.cost import cost
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import spec_has_kernels
from vitlab.nn.kernel import Kernel
from vitlab.records._base import read_known
from vitlab.records.run import Environment

MOST_THREADS = 1024  # of a process; OpenMP dies of many more
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp64": torch.float64}


@dataclass(frozen=True)
class Choices(Spec):
    """How a run is computed."""

    device: str = "cpu"
    precision: Precision = "fp32"
    kernel: Kernel | None = "explicit"  # None: the model has no part with more than one
    micro_batch: int = 128
    threads: int = 1  # of each process
    compiled: bool = False
    processes: int = 1
    checkpointing: bool = False  # blocks recompute their activations, see `vitlab.train.machine.gradient_checkpointing`
    deterministic: bool = False  # the same bits every time, see `vitlab.train.machine.deterministic`

    def __post_init__(self) -> None:
        _check_threads(self.threads)

    def __str__(self) -> str:
        said = in_words(to_dict(self))
        if self.deterministic and self.device == "cpu":
            said += " (a CPU always is)"
        return said if self.processes == 1 else f"{said}, {self.processes} processes"

    def but(self, overrides: "Overrides") -> "Choices":
        """The same with the overrides: what a run began with, changed by what the user asks for now."""
        said = {name: value for name, value in to_dict(overrides).items() if value is not None}
        if self.kernel is None:
            said.pop("kernel", None)
        return from_dict(Choices, to_dict(self) | said)

    def as_overrides(self) -> "Overrides":
        """What has anybody else compute the same way, without choosing."""
        return Overrides(**{each.name: getattr(self, each.name) for each in fields(Overrides)})

    @property
    def compute_dtype(self) -> torch.dtype:
        """What the model computes in."""
        return _DTYPES[self.precision]

    @property
    def master_dtype(self) -> torch.dtype:
        """What weights are trained in, and losses are summed in."""
        return torch.float64 if self.precision == "fp64" else torch.float32


@dataclass(frozen=True)
class Overrides(Spec):
    """What the user decides about the machine; None leaves it to vitlab."""

    device: str | None = None
    precision: Precision | None = None
    kernel: Kernel | None = None
    micro_batch: int | None = None
    threads: int | None = None
    compiled: bool | None = None
    checkpointing: bool | None = None
    deterministic: bool | None = None

    def __post_init__(self) -> None:
        _check_threads(self.threads)


def _check_threads(threads: int | None) -> None:
    """Refuse a number of threads that no process is given. Raises SpecError."""
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise SpecError(f"threads={threads}: must be from 1 to {MOST_THREADS:,}")


def recorded_choices(run: Path) -> Choices:
    """How the run in a folder is computed. Raises DataError if its record is damaged."""
    return read_known(Choices, Environment.read(run).choices, run / Environment.file)


def by_rule(overrides: Overrides, model: ViTSpec, batch_size: int, runs: int) -> Choices:
    """Choices without measuring: what was asked for, else what is known to be good on this kind of device."""
    device = pick_device(overrides.device)
    on_gpu = device.type == "cuda"
    usual: Kernel = "explicit" if device.type == "cpu" else "fused"
    checkpointing = bool(overrides.checkpointing)
    return Choices(
        device=str(device),
        precision=overrides.precision or ("bf16" if on_gpu and torch.cuda.is_bf16_supported(False) else "fp32"),
        kernel=(overrides.kernel or usual) if spec_has_kernels(model) else None,
        micro_batch=min(overrides.micro_batch or _fitting(model, device, runs, checkpointing), batch_size),
        threads=overrides.threads or process_cores(),
        compiled=bool(overrides.compiled),
        checkpointing=checkpointing,
        deterministic=bool(overrides.deterministic),
    )


def _fitting(model: ViTSpec, device: torch.device, runs: int, checkpointing: bool) -> int:
    """How many images' activations, of all runs, fill half of the machine's memory, free or not: always as many."""
    spent = cost(model)
    an_image = spent.checkpointed_bytes if checkpointing else spent.activation_bytes
    return max(1, memory_of(device) // (2 * runs * an_image))


def memory_of(device: torch.device) -> int:
    """All bytes of memory that a device has, free or not."""
    return torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else usable_memory()


def candidates(overrides: Overrides, rule: Choices, runs: int) -> list[Choices]:
    """What may be faster than the rule on this CPU, the rule first."""
    precisions: list[Precision] = ["fp32", "bf16"] if has_fast_bf16() else ["fp32"]
    # No fused kernel is stacked on a CPU
    kernels: list[Kernel | None] = ["explicit", "fused"] if runs == 1 else ["explicit"]
    if overrides.precision is not None:
        precisions = [overrides.precision]
    if overrides.kernel is not None:
        kernels = [overrides.kernel]
    if rule.kernel is None:
        kernels = [None]
    return [replace(rule, precision=p, kernel=k) for p in precisions for k in kernels]


def has_fast_bf16() -> bool:
    """Whether this CPU multiplies bf16 matrices in hardware."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, check, lambda: False)() for check in checks)
