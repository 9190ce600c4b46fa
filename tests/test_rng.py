"""The hash against SplitMix64 written in Python's integers, and its statistics with fixed seeds."""

import hashlib

import numpy as np
import pytest
import torch
from scipy import stats

from vitlab.rng import bits, chances, host_seed, sample_keys, subkeys, tag, uniform

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
COUNT = 100_000


def finalise(x: int) -> int:
    x &= MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def unsigned(tensor: torch.Tensor) -> list[int]:
    return tensor.numpy().view(np.uint64).tolist()


@pytest.fixture(scope="module")
def keys():
    return sample_keys(torch.tensor([5]), torch.arange(COUNT))[0]


def test_the_keys_of_seed_zero_are_splitmix64s_published_sequence():
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]
    assert unsigned(sample_keys(torch.tensor([0]), torch.arange(1, 5))[0]) == published


def test_keys_are_the_hash_of_seed_and_position():
    seeds, positions = [0, 1, 12345, 2**62, -3], [0, 1, 7, 10**9, 2**63 - 1]
    expected = [[finalise(finalise(s * GOLDEN) + p * GOLDEN) for p in positions] for s in seeds]
    assert unsigned(sample_keys(torch.tensor(seeds), torch.tensor(positions))) == expected


def test_bits_are_the_hash_of_key_tag_and_counter(keys):
    expected = [[finalise(finalise(key + tag("crop")) + i * GOLDEN) for i in (1, 2, 3)] for key in unsigned(keys[:50])]
    assert unsigned(bits(keys[:50], "crop", 3)) == expected
    assert unsigned(subkeys(keys[:50], "crop")) == [finalise(key + tag("crop")) for key in unsigned(keys[:50])]


def test_a_tag_is_a_fixed_63_bit_number():
    digest = hashlib.blake2b(b"crop", digest_size=8).digest()
    assert tag("crop") == int.from_bytes(digest, "big") >> 1
    assert 0 <= tag("crop") < 2**63


def test_a_tag_is_marked_as_torchs_decorator_marks_it():
    """It is not used, since it imports the compiler; so that a torch that marks in another way is noticed."""

    def name():
        return 0

    torch.compiler.assume_constant_result(name)
    assert vars(name).items() <= vars(tag).items()
    assert vars(name)


def test_host_seeds_tell_their_parts_apart():
    seeds = {host_seed(1, 23), host_seed(12, 3), host_seed(1, 2, 3), host_seed("a", "b"), host_seed("ab"), host_seed(0)}
    assert len(seeds) == 6
    assert host_seed(1, "blocks.0") == host_seed(1, "blocks.0")


def test_uniform_is_the_top_24_bits(keys):
    values = uniform(keys[:50], "crop", 3)
    assert values.dtype == torch.float32
    assert (values.double() * 2**24).long().flatten().tolist() == [
        h >> 40 for row in unsigned(bits(keys[:50], "crop", 3)) for h in row
    ]


def test_uniform_lies_in_the_half_open_interval_with_the_right_moments(keys):
    values = uniform(keys, "crop", 2).double()
    assert values.min() >= 0
    assert values.max() < 1
    count = values.numel()
    assert abs(values.mean() - 0.5) < 4 * (1 / 12 / count) ** 0.5
    assert abs(values.var() - 1 / 12) < 4 * (1 / 180 / count) ** 0.5


@pytest.mark.parametrize("name", ["crop", "flip", "blocks.0.drop_path1"])
def test_uniform_fills_its_bins_evenly(keys, name):
    counts = torch.histc(uniform(keys, name, 1), bins=256, min=0, max=1).numpy()
    assert 1e-3 < stats.chisquare(counts).pvalue < 1 - 1e-3


def test_every_bit_is_set_half_of_the_time(keys):
    hashes = bits(keys, "crop", 1)[:, 0]
    shares = torch.stack([((hashes >> i) & 1).double().mean() for i in range(64)])
    assert (shares - 0.5).abs().max() < 4.5 * 0.5 / COUNT**0.5


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(lambda k: uniform(k, "crop", 1)[:, 0], lambda k: uniform(k, "flip", 1)[:, 0], id="tags"),
        pytest.param(lambda k: uniform(k, "crop", 2)[:, 0], lambda k: uniform(k, "crop", 2)[:, 1], id="counters"),
        pytest.param(lambda k: uniform(k, "a", 1)[1:, 0], lambda k: uniform(k, "a", 1)[:-1, 0], id="neighbours"),
        pytest.param(
            lambda k: uniform(k, "a", 1)[:, 0],
            lambda k: uniform(sample_keys(torch.tensor([6]), torch.arange(COUNT))[0], "a", 1)[:, 0],
            id="seeds",
        ),
    ],
)
def test_numbers_for_different_uses_are_independent(keys, first, second):
    a, b = first(keys), second(keys)
    assert abs(torch.corrcoef(torch.stack([a, b]).double())[0, 1]) < 4 / COUNT**0.5
    cells = torch.histogramdd(torch.stack([a, b], dim=1), bins=[8, 8], range=[0.0, 1.0, 0.0, 1.0]).hist
    assert stats.chisquare(cells.flatten().numpy()).pvalue > 1e-3


def test_no_two_samples_share_a_key(keys):
    other = sample_keys(torch.tensor([6]), torch.arange(COUNT))[0]
    assert len(torch.cat([keys, other]).unique()) == 2 * COUNT


def test_a_samples_numbers_do_not_depend_on_its_batch(keys):
    batch = keys[:16]
    whole = bits(batch, "crop", 5)
    assert torch.equal(torch.cat([bits(batch[:5], "crop", 5), bits(batch[5:], "crop", 5)]), whole)
    assert torch.equal(bits(batch.flip(0), "crop", 5).flip(0), whole)
    assert torch.equal(bits(batch.reshape(4, 4), "crop", 5).reshape(16, 5), whole)


def test_more_numbers_begin_with_the_same_ones(keys):
    assert torch.equal(bits(keys[:9], "crop", 7)[:, :3], bits(keys[:9], "crop", 3))


def test_stacked_runs_draw_the_same_numbers():
    keys = sample_keys(torch.tensor([1, 2, 3]), torch.arange(10))
    stacked = torch.func.vmap(lambda k: uniform(k, "crop", 4))(keys)
    assert torch.equal(stacked, torch.stack([uniform(k, "crop", 4) for k in keys]))
    assert torch.equal(stacked, uniform(keys, "crop", 4))


def test_a_runs_keys_do_not_depend_on_the_runs_beside_it():
    positions = torch.arange(10)
    assert torch.equal(sample_keys(torch.tensor([1, 2]), positions)[1], sample_keys(torch.tensor([2]), positions)[0])


def test_chances_are_the_four_quarters_of_each_hash():
    keys = sample_keys(torch.tensor([1, 2]), torch.arange(3))
    found = chances(keys, "mask", 7)
    assert (found.shape, found.dtype) == ((2, 3, 7), torch.int16)
    whole = bits(keys, "mask", 2)
    quarters = torch.stack([(whole >> (16 * place)).to(torch.int16) for place in range(4)], dim=-1).flatten(-2)
    assert torch.equal(found, quarters[..., :7])


def test_chances_are_uniform():
    found = chances(sample_keys(torch.tensor([5]), torch.arange(1000))[0], "mask", 1000).double()
    counts = torch.histc(found, bins=64, min=-(2**15), max=2**15)
    expected = found.numel() / 64
    chi_squared = ((counts - expected).square() / expected).sum()
    assert chi_squared < 103.4  # the 99.9 % point of 63 degrees of freedom
    assert torch.corrcoef(found.T[:4]).fill_diagonal_(0).abs().max() < 4.5 / 1000**0.5
