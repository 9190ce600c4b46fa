"""Deterministic mode: set while a run trains and put back after; on a GPU, two runs of the same bits."""

import os
import subprocess
import sys

import pytest
import torch

from tests.train.conftest import crash
from tests.train.test_resume import COMMAND
from vitlab.base.errors import UserError
from vitlab.checkpoints import native
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides
from vitlab.train.machine.deterministic import WORKSPACE, deterministic_kernels

OVERRIDES = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1, deterministic=True)
ORDINARY = (False, False, False, False)
STRICT = (True, False, True, False)


def settings():
    """PyTorch's deterministic algorithms, whether they only warn; cuDNN's deterministic ones, its race."""
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


@pytest.fixture
def a_gpu(monkeypatch):
    """`a_gpu(running=True)`: a machine with a GPU whose CUDA runs already, or does not; without the variable set."""

    def pretend(running):
        monkeypatch.delenv(WORKSPACE, raising=False)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "is_initialized", lambda: running)

    return pretend


# ------------------------------------------------------------------------------------------------- set and put back


def test_set_from_the_preparation_to_the_end_and_put_back(tiny_run, tmp_path, at_step, monkeypatch):
    import vitlab.train.launch as running

    seen, real = [], running.build_loop

    def building(*arguments):
        seen.append(settings())
        return real(*arguments)

    monkeypatch.setattr(running, "build_loop", building)
    at_step(11, lambda loop: seen.append(settings()))
    train([tiny_run()], [tmp_path], overrides=OVERRIDES)
    assert seen == [STRICT, STRICT]
    assert settings() == ORDINARY


@pytest.mark.slow
def test_put_back_after_a_crash_and_set_again_by_the_resume(tiny_run, tmp_path, at_step):
    seen = []
    at_step(5, crash)
    with pytest.raises(ConnectionError):
        train([tiny_run()], [tmp_path], overrides=OVERRIDES)
    assert settings() == ORDINARY
    at_step(8, lambda loop: seen.append(settings()))
    train([tiny_run()], [tmp_path], overrides=Overrides(), resume=True)
    assert seen == [STRICT]
    assert settings() == ORDINARY


def test_what_somebody_else_had_set_comes_back():
    other = (True, True, False, True)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = True
    try:
        with deterministic_kernels(True, "cpu"):
            assert settings() == STRICT
        assert settings() == other
    finally:
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False


def test_nothing_is_touched_unless_it_is_asked_for(tiny_run, run_tiny, tmp_path, at_step, a_gpu):
    a_gpu(running=False)
    with deterministic_kernels(False, None):
        assert settings() == ORDINARY
    assert WORKSPACE not in os.environ
    seen = []
    at_step(5, lambda loop: seen.append(settings()))
    run_tiny(tiny_run(), tmp_path)
    assert seen == [ORDINARY]


# ---------------------------------------------------------------------------------------------------- what is refused


def test_a_kernel_that_cannot_be_deterministic_is_named(tiny_run, tmp_path, at_step):
    at_step(5, lambda loop: torch.zeros(3).put_(torch.tensor([0]), torch.ones(1)))
    with pytest.raises(UserError, match="--deterministic: put_ does not have a deterministic implementation; "):
        train([tiny_run()], [tmp_path], overrides=OVERRIDES)
    assert settings() == ORDINARY


def test_another_error_passes_through():
    with pytest.raises(RuntimeError, match=r"^a bug$"), deterministic_kernels(True, "cpu"):
        raise RuntimeError("a bug")
    assert settings() == ORDINARY


# -------------------------------------------------------------------------------------------------- cuBLAS's workspace


@pytest.mark.parametrize("device", [None, "cuda", "cuda:1"])
def test_the_workspace_is_fixed_before_cuda_starts(a_gpu, device):
    a_gpu(running=False)
    with deterministic_kernels(True, device):
        assert os.environ[WORKSPACE] == ":4096:8"


def test_it_is_too_late_once_cuda_runs(a_gpu):
    a_gpu(running=True)
    with pytest.raises(UserError, match=f"{WORKSPACE}=:4096:8"), deterministic_kernels(True, None):
        pytest.fail("began")
    assert settings() == ORDINARY
    with deterministic_kernels(True, "cpu"):  # which needs none
        assert settings() == STRICT


def test_what_the_user_has_fixed_stays(a_gpu, monkeypatch):
    a_gpu(running=True)
    monkeypatch.setenv(WORKSPACE, ":16:8")
    with deterministic_kernels(True, "cuda"):
        assert os.environ[WORKSPACE] == ":16:8"


# --------------------------------------------------------------------------------------------------------- on a GPU


# Twenty gradients of one attention over 1,024 tokens, whose sums are split over many blocks
ATTENTION = """
import sys, torch
from vitlab.nn.attention.softmax import Softmax
from vitlab.train.machine.deterministic import deterministic_kernels

with deterministic_kernels(True, "cuda"):
    dtype, biased = getattr(torch, sys.argv[1]), sys.argv[2] == "biased"
    torch.manual_seed(0)
    shape = (4, 6, 1024, 64)
    given = [torch.randn(shape, device="cuda", dtype=dtype, requires_grad=True) for _ in range(3)]
    if biased:
        given.append(torch.randn(6, 1024, 1024, device="cuda", dtype=dtype, requires_grad=True))
    outer = torch.randn(shape, device="cuda", dtype=dtype)
    found = [torch.autograd.grad(Softmax(0.125)(*given), given, outer) for _ in range(20)]
    assert all(torch.equal(a, b) for each in found for a, b in zip(each, found[0], strict=True))
"""
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def in_a_process(program, *words):
    """Of its own: in this one CUDA may have started."""
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@on_a_gpu
@pytest.mark.parametrize("bias", ["plain", "biased"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_fused_attention_has_one_gradient(dtype, bias):
    """Flash attention takes the plain one in bf16, the memory-efficient kernel the others."""
    in_a_process(ATTENTION, dtype, bias)


@pytest.mark.slow
@on_a_gpu
@pytest.mark.parametrize("positions", ["learned", "relative_bias"])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_two_runs_on_a_gpu_give_the_same_bits(tmp_path, positions, precision):
    words = (
        *("train", "digits", "--device", "cuda", "--precision", precision, "--deterministic"),
        *("--set", "model.patch_size=1", "--set", f"model.pos_embed={positions}", "--set", "model.drop_path=0.1"),
        *("--set", "epochs=null", "--set", "steps=40", "--set", "batch_size=256"),
    )
    for name in ("one", "other"):
        in_a_process(COMMAND, *words, "--out", str(tmp_path / name))
    one, other = (native.latest(tmp_path / name / "checkpoint") for name in ("one", "other"))
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
