import pytest

from vitlab.bench.peers import vit_pytorch as peer
from vitlab.models.vit import build

pytestmark = pytest.mark.peer


@pytest.fixture(autouse=True)
def installed():
    pytest.importorskip("vit_pytorch")


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("mode", ["train", "infer"])
def test_every_setting_does_the_job(mode, job):
    found = list(peer.contestants(job(mode)))
    assert [c.setting for c in found] == ["float32", "bf16 autocast"]
    for contestant in found:
        contestant.work()


def test_it_differs_in_what_it_says_and_nothing_else(job):
    """Two layer norms more, over the pixels of a patch and over D; no bias on q, k and v on either side here."""
    spec = job("train").model
    pixels = spec.in_chans * spec.patch_size[0] * spec.patch_size[1]
    assert parameters(peer._build(job("train"))) == parameters(build(spec)) + 2 * pixels + 2 * spec.embed_dim
