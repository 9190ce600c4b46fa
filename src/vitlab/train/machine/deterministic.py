"""Deterministic mode: the same bits every time on a GPU too. A CPU gives them anyway.

Random numbers are pure functions already (`vitlab.rng`). What is left are kernels that add up in another order each
time, and those that are chosen by timing them:

    attention    PyTorch's deterministic algorithms govern its backward pass as well: flash attention takes its
                 deterministic variant, memory-efficient attention one split of the keys, cuDNN's is not taken
    cuBLAS       a workspace of fixed size (CUBLAS_WORKSPACE_CONFIG); else what a product gets depends on the others
    cuDNN        convolutions that are deterministic, chosen without a race; torch.compile does not measure either
    vitlab       takes precision and kernel by rule (`vitlab.train.machine.autotune` holds no race)

A kernel that has no deterministic variant is refused by name. It all holds on one kind of GPU with one version of
PyTorch and CUDA: other kernels round in other places.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vitlab.base.errors import UserError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
FIXED = (":4096:8", ":16:8")  # the two that cuBLAS calls reproducible: eight buffers of 4 MiB, or of 16 KiB
REFUSAL = " does not have a deterministic implementation"  # PyTorch's, after the kernel's name


@contextmanager
def deterministic_kernels(asked: bool, device: str | None) -> Iterator[None]:
    """While the block runs, if it is `asked` for, every kernel on `device` (None: any) is deterministic.

    PyTorch's settings are put back afterwards. Raises UserError for a kernel that cannot be deterministic.
    """
    if not asked:
        yield
        return
    if device != "cpu":
        _fix_workspace()
    cudnn = torch.backends.cudnn
    before = torch.get_deterministic_debug_mode(), cudnn.deterministic, cudnn.benchmark  # 0 off, 1 warns, 2 refuses
    try:
        torch.use_deterministic_algorithms(True)
        cudnn.deterministic, cudnn.benchmark = True, False
        yield
    except RuntimeError as error:
        kernel, refused, _ = str(error).partition(REFUSAL)
        if not refused:
            raise
        raise UserError(f"--deterministic: {kernel}{REFUSAL}; leave out --deterministic, or what needs this") from error
    finally:
        mode, cudnn.deterministic, cudnn.benchmark = before
        torch.use_deterministic_algorithms(mode > 0, warn_only=mode == 1)  # which tells the compiler too


def _fix_workspace() -> None:
    """Set what cuBLAS reads when CUDA starts. It stays: CUDA goes on with it until the process ends."""
    if not torch.cuda.is_available() or os.environ.get(WORKSPACE) in FIXED:
        return
    if torch.cuda.is_initialized():
        raise UserError(f"--deterministic: CUDA is running already; start Python with {WORKSPACE}={FIXED[0]}")
    os.environ[WORKSPACE] = FIXED[0]
