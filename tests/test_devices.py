"""Which devices there are; a GPU is only pretended here."""

from types import SimpleNamespace

import pytest
import torch

from vitlab import devices
from vitlab.base.errors import UserError
from vitlab.devices import accelerator, exact_dtype, pick_device, waiting_for


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, True, "cuda")]
)
def test_the_best_at_hand(monkeypatch, cuda, mps, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(devices.torch, "zeros", lambda *_, device: None)
    assert pick_device(None) == torch.device(best)


def test_what_is_asked_for_goes_before():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tpu", "--device tpu: legal: cpu, cuda, cuda:N, mps"),
        ("mps", "--device mps: not available here; cpu always is"),
    ],
)
def test_one_that_is_not_there(asked, said):
    with pytest.raises(UserError, match=said):
        pick_device(asked)


def test_sums_are_as_exact_as_the_device_allows():
    assert exact_dtype(torch.device("cpu")) == exact_dtype(torch.device("cuda")) == torch.float64
    assert exact_dtype(torch.device("mps")) == torch.float32


def test_what_a_record_says_of_a_gpu(monkeypatch):
    card = SimpleNamespace(name="a card", total_memory=8 * 2**30)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    assert accelerator("cpu") is None
    assert accelerator("cuda:1") == {"name": "a card", "memory_bytes": 8 * 2**30, "cuda": torch.version.cuda}


def test_waiting_is_for_the_device_that_is_named(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    waiting_for("cpu")()
    waiting_for("cuda:1")()
    assert waited == ["cuda:1"]
