import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from vitlab.base.errors import UserError
from vitlab.bench import versus as module
from vitlab.bench import work
from vitlab.bench.contest import Contestant, matrix_product
from vitlab.bench.versus import versus
from vitlab.models.cost import cost
from vitlab.train.machine.choices import Overrides

OVERRIDES = Overrides(precision="fp32", kernel="explicit", threads=1)


@pytest.fixture(autouse=True)
def no_processes(monkeypatch):
    """Memory is measured in fresh processes, which `test_memory` does; here it would only take time."""
    monkeypatch.setattr(module, "peak_memory", lambda contestant, job, overrides: 123)


@pytest.fixture(autouse=True)
def small_matrices(monkeypatch):
    """A CPU without bf16 in hardware takes minutes for the real ones."""
    monkeypatch.setattr(module, "matrix_product", partial(matrix_product, size=64))


@pytest.mark.slow
@pytest.mark.peer
def test_figures_for_us_and_for_each_peer(job):
    pytest.importorskip("timm")
    figures = versus(job("train"), ["timm"], 2, OVERRIDES)
    ours, timm = figures["vitlab"], figures["peers"]["timm"]
    assert len(ours["seconds_per_round"]) == 2
    assert timm["ratio"] == min(each["ratio"] for each in timm["all"])  # the peer's best is our worst ratio
    assert timm["as_it_comes"]["setting"] == "float32, fused attention"
    peak = figures["peak_flops_per_second"]["float32"]
    expected = ours["images_per_second"] * 3 * cost(job("train").model).flops / peak
    assert ours["fraction_of_peak"] == pytest.approx(expected)


@pytest.mark.slow
def test_a_peer_that_is_not_installed_is_missing_with_its_reason(job, monkeypatch):
    for name in ("timm", "timm.layers", "timm.models.vision_transformer"):
        monkeypatch.setitem(sys.modules, name, None)  # what an import finds where there is no such package
    figures = versus(job("infer"), ["timm"], 1, OVERRIDES)
    assert figures["peers"] == {}
    assert figures["missing"]["timm"].startswith("not installed: ")


@pytest.fixture
def made_up(monkeypatch):
    """A peer with a float32 and a bf16 setting; on a CPU without units for bf16."""
    both = [Contestant("timm", setting, 4, lambda: None) for setting in ("float32", "bf16 autocast")]
    peer = SimpleNamespace(contestants=lambda job: iter(both))
    monkeypatch.setitem(sys.modules, "vitlab.bench.peers.timm", peer)
    monkeypatch.setattr(work, "has_fast_bf16", lambda: False)


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_bf16_is_left_out_and_said_where_a_cpu_has_no_units_for_it(job):
    figures = versus(job("infer"), ["timm"], 1, OVERRIDES)
    assert [setting["setting"] for setting in figures["peers"]["timm"]["all"]] == ["float32"]
    assert figures["missing"]["bf16"].startswith("this CPU has no units for it")
    assert figures["peak_flops_per_second"].keys() == {"float32"}


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_bf16_that_is_asked_for_is_timed_all_the_same(job):
    figures = versus(job("infer"), ["timm"], 1, replace(OVERRIDES, precision="bf16"))
    assert [setting["setting"] for setting in figures["peers"]["timm"]["all"]] == ["float32", "bf16 autocast"]
    assert figures["missing"] == {}
    assert figures["peak_flops_per_second"].keys() == {"float32", "bfloat16"}


@pytest.mark.slow
@pytest.mark.usefixtures("made_up")
def test_what_the_time_does_not_allow_is_said(job):
    figures, said = {}, []
    figures = versus(job("infer"), ["timm"], 5, OVERRIDES, seconds=0, say=said.append)
    assert figures["job"]["rounds"] == 2
    assert len(figures["vitlab"]["seconds_per_round"]) == 2
    assert figures["vitlab"]["peak_memory_bytes"] is None
    assert "no time was left for vitlab" in figures["missing"]["memory"]
    assert said[0] == "choosing how vitlab computes"
    assert "building timm's models" in said


def test_an_unknown_peer_is_refused_with_the_nearest_name(job):
    with pytest.raises(UserError, match=r"'tim'.*timm"):
        versus(job("train"), ["tim"], 1, OVERRIDES)


def test_a_model_that_peers_cannot_build_is_refused(job):
    with pytest.raises(UserError, match="pos_embed"):
        versus(job("train", pos_embed="sincos2d"), ["timm"], 1, OVERRIDES)
