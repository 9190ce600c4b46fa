import pytest
import torch

from vitlab.base.errors import UserError
from vitlab.base.spec import component_names
from vitlab.bench import attention as module
from vitlab.bench.attention import Mechanism, Setting, beats_from, bench_attention, build, mechanisms, work
from vitlab.nn.pos_embed._base import PosEmbed

LINEAR = Mechanism("linear", (("attention", "linear"),), None)


@pytest.fixture
def setting(tiny_spec) -> Setting:
    return Setting(tiny_spec(), torch.device("cpu"), torch.float32)


def test_every_attention_and_every_mixer_has_its_row(setting):
    names = {mechanism.name for mechanism in mechanisms(setting)}
    attentions, mixers = (set(component_names(f"vitlab.nn.{family}")) for family in ("attention", "mixer"))
    assert names == attentions | mixers - {"self_attention"}  # whose rows are those of the attentions


def test_softmax_attention_stands_with_both_kernels_and_linear_with_none(setting):
    assert [str(row) for row in mechanisms(setting, ["softmax"])] == ["softmax, fused", "softmax, explicit"]
    assert [str(row) for row in mechanisms(setting, ["linear"])] == ["linear"]


def test_an_unknown_mechanism_is_answered_with_a_near_one(setting):
    with pytest.raises(UserError, match=r"unknown attention or mixer 'linaer'; did you mean linear"):
        mechanisms(setting, ["linaer"])


@pytest.mark.parametrize("tokens", [1, 2, 8, 64, 128])
def test_a_sequence_has_as_many_tokens_as_asked_for(tokens, setting):
    assert setting.spec(LINEAR, tokens).dims().num_tokens == tokens


@pytest.mark.parametrize("tokens", [0, 13, 100])
def test_tokens_that_fill_no_grid_are_refused(tokens, setting):
    with pytest.raises(UserError, match=f"--tokens {tokens}: must form a grid"):
        setting.spec(LINEAR, tokens)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", component_names("vitlab.nn.attention"))
def test_the_definition_that_is_raced_computes_the_same(name, tiny_spec, normal):
    setting = Setting(tiny_spec(), torch.device("cpu"), torch.float64)
    for mechanism in mechanisms(setting, [name]):
        fast, plain = (build(setting, mechanism, 16, form) for form in ("fast", "definition"))
        x = normal(3, 16, 16)
        torch.testing.assert_close(fast(x, PosEmbed()), plain(x, PosEmbed()), rtol=0, atol=1e-11)


def test_a_step_gives_the_gradient_of_tokens_and_weights(setting):
    step = work(setting, LINEAR, 16, "step")
    gradients = step.work()
    assert step.images == setting.batch(16) == 512
    assert [tuple(g.shape) for g in gradients[:2]] == [(512, 16, 16), (48, 16)]
    assert work(setting, LINEAR, 16, "forward").work().shape == (512, 16, 16)


def test_the_number_from_which_on_a_ratio_stays_above_one():
    def points(*ratios):
        return [{"tokens": 64 << i, "r": ratio} for i, ratio in enumerate(ratios)]

    assert beats_from(points(0.5, 1.2, 2.0), "r") == 128
    assert beats_from(points(1.2, 0.9, 2.0), "r") == 256
    assert beats_from(points(2.0, 3.0), "r") == 64
    assert beats_from(points(2.0, 0.9), "r") is None
    assert beats_from(points(2.0, None), "r") is None
    assert beats_from([], "r") is None


def test_what_memory_would_not_hold_is_left_out_and_said(setting, monkeypatch):
    monkeypatch.setattr(module, "_memory", lambda device: 2 * 300)
    monkeypatch.setattr(module, "_peak", lambda device, step, held: 512 * 100)
    found = module._measured(setting, LINEAR, [16, 8192, 64])
    assert found == {16: 100}


@pytest.mark.slow
def test_the_figures_are_whole(setting):
    figures = bench_attention(setting, [64, 16], rounds=2, only=["softmax", "linear", "identity"], seconds=0.001)
    assert figures["tokens"] == [16, 64]
    assert [row["label"] for row in figures["mechanisms"]] == [
        "linear",
        "softmax, fused",
        "softmax, explicit",
        "identity",
    ]
    for row in figures["mechanisms"]:
        assert [point["tokens"] for point in row["points"]] == [16, 64]
        for point in row["points"]:
            assert point["forward_seconds"] > 0
            assert point["step_seconds"] > 0
            assert point["peak_memory_bytes"] > 0
            assert (point["step_vs_definition"] is None) == (row["name"] == "identity")
    softmax = [point["step_vs_softmax"] for row in figures["mechanisms"][1:3] for point in row["points"]]
    assert min(softmax) < 1 or softmax == [1.0] * 4  # one kernel is the best, the other is compared with it
    assert figures["missing"] == {}
