import ctypes
import subprocess
import sys

import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.train.machine.choices import Choices
from vitlab.train.machine.memory import check_room, naming_the_setting, peak_memory_bytes


@pytest.mark.parametrize(
    ("choices", "remedy"),
    [
        (Choices(micro_batch=7), "--micro-batch 3"),
        (Choices(micro_batch=1), "--checkpointing"),
        (Choices(micro_batch=1, checkpointing=True), "model.embed_dim or model.depth"),
    ],
)
def test_the_next_thing_to_try_is_named(tiny_run, choices, remedy):
    with pytest.raises(UserError, match=f"out of memory.*{remedy}"), naming_the_setting(tiny_run(), choices):
        raise MemoryError


def test_torchs_own_words_for_it_are_understood_and_no_others(tiny_run):
    with pytest.raises(UserError, match="out of memory"), naming_the_setting(tiny_run(), Choices()):
        torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="allowed"), naming_the_setting(tiny_run(), Choices()):
        raise RuntimeError("this allocation scheme is not allowed")


def test_the_peak_counts_what_was_held_and_let_go():
    before = peak_memory_bytes("cpu")
    held = torch.ones(50_000_000)
    del held
    assert peak_memory_bytes("cpu") >= before
    assert 20e6 < before < 1e12


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="only glibc is asked")
def test_what_a_step_frees_the_next_one_gets_without_new_pages():
    """In a process of its own: what the allocator is told it keeps to the end."""
    script = """
import resource, torch
from vitlab.train.machine.memory import keep_freed_memory

def faults(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def step():
    torch.zeros(16, 2**20).add_(1)  # 64 MiB

fresh = faults(step)
keep_freed_memory()
step()
print(fresh, min(faults(step) for _ in range(3)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    fresh, kept = map(int, done.stdout.split())
    assert kept < fresh / 10, done.stdout


@pytest.mark.slow
def test_without_the_module_that_windows_lacks_it_can_be_imported():
    program = "import sys, psutil; sys.modules['resource'] = None; import vitlab.cli.train, vitlab.train.launch"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_cannot_be_held_is_refused_before_it_is_built(tiny_run, monkeypatch):
    cpu = torch.device("cpu")
    check_room([tiny_run()] * 3, cpu)
    with pytest.raises(UserError, match=r"weights and their gradient take [\d,]+ GiB, and cpu has .*model\.embed_dim"):
        check_room([tiny_run({"model.embed_dim": 1 << 19})], cpu)
    with pytest.raises(UserError, match=r"batch_size=1000000000000: its pictures take [\d,]+ GiB, and cpu has"):
        check_room([tiny_run({"batch_size": 10**12})], cpu)
    monkeypatch.setattr("vitlab.train.machine.memory.memory_of", lambda _: 100_000)
    check_room([tiny_run()], cpu)
    with pytest.raises(UserError, match="weights"):
        check_room([tiny_run()] * 30, cpu)
