import torch

from vitlab.train.memory import peak_memory_bytes


def test_the_peak_counts_what_was_held_and_let_go():
    before = peak_memory_bytes("cpu")
    held = torch.ones(50_000_000)
    del held
    assert peak_memory_bytes("cpu") >= before
    assert 20e6 < before < 1e12
