import pytest

from vitlab.bench.peers import transformers as peer
from vitlab.models.vit import build

pytestmark = pytest.mark.peer


@pytest.fixture(autouse=True)
def installed():
    pytest.importorskip("transformers")


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["train", "infer"])
def test_every_setting_does_the_job(mode, job):
    found = list(peer.contestants(job(mode)))
    assert [c.setting for c in found] == ["float32, sdpa", "bf16 autocast, sdpa", "bf16 autocast, eager attention"]
    for contestant in found:
        contestant.work()


@pytest.mark.slow
def test_it_has_as_many_parameters(job):
    assert parameters(peer._build(job("train"), "eager")) == parameters(build(job("train").model))
