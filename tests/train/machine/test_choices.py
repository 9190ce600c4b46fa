from dataclasses import replace

import pytest
import torch

from vitlab.base.errors import SpecError, UserError
from vitlab.base.spec import from_dict, to_dict, with_settings
from vitlab.devices import pick_device
from vitlab.models.spec import preset
from vitlab.train.machine import choices as module
from vitlab.train.machine.choices import Choices, Overrides, by_rule, candidates

MODEL = preset("r0_vit")


def test_a_device_that_is_not_here_is_refused_by_name():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UserError, match="--device cuda: not available"):
        pick_device("cuda")
    with pytest.raises(UserError, match="--device toaster"):
        pick_device("toaster")


def test_the_rule_on_a_cpu_is_float32_explicit_attention_and_all_cores():
    rule = by_rule(Overrides(device="cpu"), MODEL, 128, runs=1)
    assert rule == Choices("cpu", "fp32", "explicit", 128, module.process_cores(), False)


def test_overrides_win_over_the_rule():
    overrides = Overrides("cpu", "fp64", "fused", micro_batch=16, threads=1, compiled=True)
    overrides = replace(overrides, checkpointing=True, deterministic=True)
    expected = Choices("cpu", "fp64", "fused", 16, 1, compiled=True, checkpointing=True, deterministic=True)
    assert by_rule(overrides, MODEL, 128, runs=1) == expected


def test_a_micro_batch_is_no_larger_than_the_batch_and_fits_the_memory(monkeypatch):
    assert by_rule(Overrides(device="cpu", micro_batch=512), MODEL, 128, runs=1).micro_batch == 128
    spent = module.cost(MODEL)
    monkeypatch.setattr(module, "cost", lambda model: spent)
    room = 2 * 10 * spent.activation_bytes  # ten images' activations in half of it
    monkeypatch.setattr(module, "usable_memory", lambda: room)
    assert by_rule(Overrides(device="cpu"), MODEL, 128, runs=1).micro_batch == 10
    assert by_rule(Overrides(device="cpu"), MODEL, 128, runs=5).micro_batch == 2
    assert by_rule(Overrides(device="cpu"), MODEL, 128, runs=100).micro_batch == 1
    more = by_rule(Overrides(device="cpu", checkpointing=True), MODEL, 512, runs=1).micro_batch
    assert more == 10 * spent.activation_bytes // spent.checkpointed_bytes > 30


@pytest.mark.parametrize(
    ("bf16", "overrides", "runs", "expected"),
    [
        (True, Overrides(), 1, [("fp32", "explicit"), ("fp32", "fused"), ("bf16", "explicit"), ("bf16", "fused")]),
        (False, Overrides(), 1, [("fp32", "explicit"), ("fp32", "fused")]),
        (True, Overrides(), 3, [("fp32", "explicit"), ("bf16", "explicit")]),
        (True, Overrides(precision="fp64"), 1, [("fp64", "explicit"), ("fp64", "fused")]),
        (True, Overrides(precision="fp32", kernel="fused"), 1, [("fp32", "fused")]),
    ],
)
def test_candidates_are_what_the_machine_has_and_the_user_left_open(monkeypatch, bf16, overrides, runs, expected):
    monkeypatch.setattr(module, "has_fast_bf16", lambda: bf16)
    found = candidates(overrides, Choices(), runs)
    assert [(choice.precision, choice.kernel) for choice in found] == expected


def test_choices_in_words():
    assert str(Choices(threads=2)) == "cpu, fp32, explicit attention, 2 threads"
    assert str(Choices(compiled=True, checkpointing=True)).endswith(", 1 thread, compiled, checkpointing")
    assert str(Choices(deterministic=True)).endswith(", deterministic (a CPU always is)")
    assert str(Choices(device="cuda", deterministic=True)).endswith(", deterministic")


def test_what_is_not_wished_stays_as_it_was():
    recorded = Choices(precision="bf16", micro_batch=64, deterministic=True)
    overrides = Overrides(micro_batch=8, checkpointing=True)
    assert recorded.but(overrides) == replace(recorded, micro_batch=8, checkpointing=True)
    assert recorded.but(Overrides(deterministic=False)) == replace(recorded, deterministic=False)


def test_master_weights_are_never_bf16():
    assert Choices(precision="bf16").compute_dtype is torch.bfloat16
    assert Choices(precision="bf16").master_dtype is torch.float32
    assert Choices(precision="fp64").master_dtype is torch.float64


@pytest.mark.parametrize("threads", [0, -1, 1025, 100_000])
@pytest.mark.parametrize("kind", [Choices, Overrides])
def test_as_many_threads_as_would_end_the_process_are_refused(kind, threads):
    with pytest.raises(SpecError, match=rf"threads={threads}: must be from 1 to 1,024"):
        kind(threads=threads)


@pytest.mark.parametrize("settings", [{"attention": "linear"}, {"mixer": "pooling"}])
def test_a_model_with_one_kernel_has_none_to_choose(settings):
    model = with_settings(MODEL, settings)
    rule = by_rule(Overrides(device="cpu", kernel="fused"), model, 128, runs=1)
    assert rule.kernel is None
    assert {choice.kernel for choice in candidates(Overrides(kernel="fused"), rule, runs=1)} == {None}
    assert rule.but(Overrides(kernel="explicit")).kernel is None
    assert "attention" not in str(rule)
    assert from_dict(Choices, to_dict(rule)) == rule
