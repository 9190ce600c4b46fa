import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from vitlab.augment.ops._base import Pair
from vitlab.augment.ops.mix import Spec, beta_quantile
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.arange(40), torch.arange(16))  # 40 runs of one batch of 16
IMAGES = torch.randn(40, 16, 3, 10, 14, generator=torch.Generator().manual_seed(0))
TARGETS = torch.eye(16).expand(40, 16, 16)  # every sample its own class: a target tells who its partner was
PARTNERS = Spec().partners(KEYS)


def mixed(spec: Spec, images: Tensor, targets: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Whole batches, each sample with its partner."""
    run, partner = torch.arange(len(keys))[:, None], spec.partners(keys)
    pairs = [Pair(each, each[run, partner]) for each in (images, targets)]
    return spec.apply(*pairs, keys, keys[:, :1])


def own_and_partner(targets: Tensor) -> tuple[Tensor, Tensor]:
    """[R, 16, 16] -> each sample's share of its own target and of its partner's, [R, 16] both."""
    partner_targets = TARGETS.gather(1, PARTNERS[..., None].expand(-1, -1, 16))
    return (targets * TARGETS).sum(-1), (targets * partner_targets).sum(-1)


def test_a_partner_is_another_sample_and_each_is_partner_once():
    assert torch.equal(PARTNERS.sort(dim=1).values, torch.arange(16).expand(40, 16))
    assert (torch.arange(16) != PARTNERS).all()
    assert len(PARTNERS.unique(dim=0)) == 40  # every run has its own
    assert Spec().partners(KEYS[:, :1]).eq(0).all()  # alone in its batch, a sample is its own partner


def test_partners_are_uniform_over_the_others():
    keys = sample_keys(torch.arange(5000), torch.arange(6))
    counts = torch.bincount(Spec().partners(keys)[:, 0], minlength=6)
    assert counts[0] == 0
    assert ((counts[1:] - 1000) ** 2 / 1000).sum() < 18.5  # chi-squared with 4 degrees of freedom, p = 0.001


# above 1 the quantiles rise steeply out of 0 and into 1, and the outermost of the table's 4,096 lines cut that corner
@pytest.mark.parametrize(("alpha", "corner"), [(0.2, 1e-5), (0.8, 1e-5), (1.0, 1e-5), (5.0, 0.05)])
def test_beta_quantiles_are_scipys(alpha: float, corner: float):
    u = np.linspace(0, 1, 10_001)
    ours = beta_quantile(torch.from_numpy(u).float(), alpha).double().numpy()
    error = np.abs(ours - stats.beta(alpha, alpha).ppf(u))
    assert error[50:-50].max() < 1e-5
    assert error.max() < corner
    assert ours[[0, -1]].tolist() == [0, 1]


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_mixup_is_its_equation(per: str):
    spec = Spec(prob=1, cutmix_alpha=0, per=per)
    images, targets = mixed(spec, IMAGES, TARGETS, KEYS)
    share, rest = own_and_partner(targets)
    assert torch.allclose(share + rest, torch.ones(40, 16))
    for run, sample in [(0, 0), (7, 3), (39, 15)]:
        partner = PARTNERS[run, sample]
        expected = share[run, sample] * IMAGES[run, sample] + (1 - share[run, sample]) * IMAGES[run, partner]
        assert torch.allclose(images[run, sample], expected, atol=1e-5)


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_cutmix_pastes_one_rectangle_and_its_targets_count_the_pixels(per: str):
    images, targets = mixed(Spec(prob=1, mixup_alpha=0, per=per), IMAGES, TARGETS, KEYS)
    run = torch.arange(40)[:, None]
    own, pasted = (images == IMAGES).all(2), (images == IMAGES[run, PARTNERS]).all(2)  # [R, B, H, W]
    assert torch.equal(own, ~pasted)
    assert torch.allclose(own_and_partner(targets)[0], own.float().mean((-2, -1)))
    rows, columns = pasted.any(-1), pasted.any(-2)
    assert torch.equal(pasted, rows[..., None] & columns[..., None, :])  # a product of rows and columns …
    for side in (rows, columns):
        assert (side.int().diff(dim=-1) == 1).sum(-1).max() <= 1  # … without gaps: a rectangle
    assert 0 < pasted.float().mean() < 0.5


@pytest.mark.slow
@pytest.mark.peer
def test_rectangles_are_as_large_as_torchvisions():
    transforms = pytest.importorskip("torchvision.transforms.v2")
    torch.manual_seed(0)
    reference = transforms.CutMix(num_classes=2)
    images = [torch.zeros(2, 1, 32, 32)]
    theirs = [reference.make_params(images)["lam_adjusted"] for _ in range(4000)]
    keys = sample_keys(torch.tensor([0]), torch.arange(4000))
    ours = Spec(prob=1, mixup_alpha=0, per="sample").shares(keys, 32, 32).mean((-2, -1))[0]
    assert stats.ks_2samp(ours.numpy(), np.array(theirs)).pvalue > 0.001


def test_mixups_shares_follow_beta():
    keys = sample_keys(torch.tensor([0]), torch.arange(20_000))
    shares = Spec(prob=1, cutmix_alpha=0, mixup_alpha=0.8, per="sample").shares(keys, 1, 1).flatten()
    assert stats.kstest(shares.double().numpy(), stats.beta(0.8, 0.8).cdf).pvalue > 0.001


def test_how_often_and_which():
    keys = sample_keys(torch.tensor([3]), torch.arange(40_000))
    shares = Spec(prob=0.5, switch=0.2, per="sample").shares(keys, 8, 8).flatten(2)[0]
    mixup = ((shares > 0) & (shares < 1)).all(1).float().mean().item()
    assert mixup == pytest.approx(0.5 * 0.8, abs=4 * 0.0025)
    binary = ((shares == 0) | (shares == 1)).all(1) & (shares == 0).any(1)
    assert binary.float().mean().item() == pytest.approx(0.5 * 0.2, abs=0.02)  # small rectangles round to nothing


def test_per_batch_every_run_has_one_share_of_its_own():
    share = own_and_partner(mixed(Spec(prob=1, cutmix_alpha=0), IMAGES, TARGETS, KEYS)[1])[0]
    assert (share.amax(1) - share.amin(1)).max() < 1e-6
    assert len(share[:, 0].unique()) == 40
    share = own_and_partner(mixed(Spec(prob=1, cutmix_alpha=0, per="sample"), IMAGES, TARGETS, KEYS)[1])[0]
    assert (share.amax(1) - share.amin(1)).min() > 0.1


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_targets_sum_to_one_and_runs_do_not_touch(per: str):
    images, targets = mixed(Spec(per=per), IMAGES, TARGETS, KEYS)
    assert torch.allclose(targets.sum(-1), torch.ones(40, 16))
    assert targets.min() >= 0
    alone = mixed(Spec(per=per), IMAGES[5:6], TARGETS[5:6], KEYS[5:6])
    assert torch.equal(alone[0], images[5:6])
    assert torch.equal(alone[1], targets[5:6])


@pytest.mark.parametrize("spec", [Spec(prob=0), Spec(prob=1, mixup_alpha=0, cutmix_alpha=0)])
def test_without_mixing_nothing_changes(spec: Spec):
    images, targets = mixed(spec, IMAGES, TARGETS, KEYS)
    assert torch.equal(images, IMAGES)
    assert torch.equal(targets, TARGETS)


@pytest.mark.parametrize("field", ["prob", "switch", "mixup_alpha", "cutmix_alpha"])
def test_what_cannot_be_is_refused(field: str):
    with pytest.raises(SpecError, match=rf"mix.{field}=-0\.5"):
        Spec(**{field: -0.5})
