import pytest

from vitlab.bench.peers import timm as peer
from vitlab.models.vit import build

pytestmark = pytest.mark.peer


@pytest.fixture(autouse=True)
def installed():
    pytest.importorskip("timm")


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_every_setting_does_the_job(mode, job):
    found = list(peer.contestants(job(mode)))
    assert found[0].setting == "float32, fused attention"
    assert len(found) == 4
    for contestant in found:
        contestant.work()


def test_it_is_the_same_architecture(job):
    ours, theirs = build(job("train").model), peer._build(job("train"), fused=True)
    assert parameters(theirs) == parameters(ours)
    ours.load_state_dict(theirs.state_dict())


def test_its_attention_is_fused_or_not_as_the_setting_says(job):
    assert [peer._build(job("train"), fused).blocks[0].attn.fused_attn for fused in (True, False)] == [True, False]
