import pytest
import torch

from vitlab.nn.stochastic import Dropout, DropPath
from vitlab.rng import chances, sample_keys, uniform

COUNT = 20_000


@pytest.fixture(scope="module")
def keys():
    return sample_keys(torch.tensor([3]), torch.arange(COUNT))[0]


@pytest.fixture(params=[Dropout, DropPath])
def layer(request):
    return request.param(0.3, "here")


def test_without_keys_it_is_the_identity_even_in_training_mode(layer, normal):
    x = normal(4, 2, 3)
    assert layer.train()(x, None) is x


def test_at_rate_zero_it_is_the_identity(layer, normal, keys):
    x = normal(4, 2, 3)
    assert type(layer)(0.0, "here")(x, keys[:4]) is x


def test_it_keeps_the_expectation_and_scales_what_is_kept(layer, keys):
    y = layer(torch.ones(COUNT, 2, 3), keys).double()
    torch.testing.assert_close(y.unique(), torch.tensor([0.0, 1 / 0.7]).double(), rtol=1e-6, atol=0)
    independent = y.numel() if isinstance(layer, Dropout) else COUNT
    assert abs((y > 0).double().mean() - 0.7) < 4 * (0.3 * 0.7 / independent) ** 0.5


def test_drop_path_drops_whole_samples(keys):
    y = DropPath(0.3, "here")(torch.ones(COUNT, 2, 3), keys)
    assert torch.equal(y, y[:, :1, :1].expand_as(y))


def test_dropout_drops_every_value_on_its_own(keys):
    kept = (Dropout(0.3, "here")(torch.ones(COUNT, 2, 3), keys).flatten(1) > 0).double()
    correlations = torch.corrcoef(kept.T) - torch.eye(6)
    assert correlations.abs().max() < 4.5 / COUNT**0.5


def test_a_sample_has_the_same_mask_in_any_split_of_the_batch(layer, normal, keys):
    x, batch = normal(12, 2, 3), keys[:12]
    whole = layer(x, batch)
    for parts in ([4, 4, 4], [1, 11], [1] * 12):
        split = [layer(a, b) for a, b in zip(x.split(parts), batch.split(parts), strict=True)]
        assert torch.equal(torch.cat(split), whole)


def test_two_passes_over_a_sample_share_their_mask_and_two_places_do_not(layer, keys):
    ones = torch.ones(500, 2, 3)
    assert torch.equal(layer(ones, keys[:500]), layer(ones, keys[:500]))
    assert not torch.equal(type(layer)(0.3, "there")(ones, keys[:500]), layer(ones, keys[:500]))


def test_the_mask_is_where_the_samples_numbers_reach_the_rate(keys):
    ones = torch.ones(100, 2, 3)
    kept = uniform(keys[:100], "here", 1)[..., None] >= 0.3
    assert torch.equal(DropPath(0.3, "here")(ones, keys[:100]) > 0, kept.expand(100, 2, 3))
    shares = (chances(keys[:100], "here", 6).double() + 2**15) / 2**16
    kept = shares.reshape(100, 2, 3) >= round(0.3 * 2**16) / 2**16
    assert torch.equal(Dropout(0.3, "here")(ones, keys[:100]) > 0, kept)


@pytest.mark.parametrize("rate", [1e-9, 0.5, 1 - 1e-9])
def test_every_rate_below_one_can_be_had(rate, keys):
    y = Dropout(rate, "here")(torch.ones(COUNT, 8, 1), keys)
    assert abs((y > 0).double().mean() - (1 - rate)) < 0.01


def test_double_precision_stays_double(layer, normal, keys):
    assert layer(normal(4, 2, 3).double(), keys[:4]).dtype == torch.float64


def test_the_rate_of_drop_path_rises_linearly_to_the_last_block(tiny_spec):
    from vitlab.models.vit import ViT

    blocks = ViT(tiny_spec(depth=5, drop_path=0.2)).blocks
    assert [block.drop_path1.rate for block in blocks] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert [block.drop_path2.rate for block in blocks] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert len({layer.tag for block in blocks for layer in (block.drop_path1, block.drop_path2)}) == 10
