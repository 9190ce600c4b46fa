import numpy as np
import pytest
from scipy import stats

from vitlab.base.errors import UserError
from vitlab.stats.describe import describe
from vitlab.stats.sampling import accuracy_errors, images_error


def test_by_hand(whole):
    # .9 of 10,000 images: √(.9 · .1 / 10000) = .003; .89, .90, .91: s = .01, over √3
    result = whole(accuracy_errors([0.89, 0.90, 0.91], 10_000))
    assert (result.n, result.images) == (3, 10_000)
    assert result.mean == pytest.approx(0.9, rel=1e-12)
    assert result.test_set_error == pytest.approx(0.003, rel=1e-12)
    assert result.seed_error == pytest.approx(0.01 / 3**0.5, rel=1e-12)
    assert result.seed_interval == describe([0.89, 0.90, 0.91]).t_interval


@pytest.mark.parametrize(("right", "images"), [(0, 360), (1, 10), (324, 360), (360, 360)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_test_sets_interval_is_scipys_wilson(whole, right, images, level):
    result = whole(accuracy_errors([right / images], images, level=level))
    peer = stats.binomtest(right, images).proportion_ci(level, method="wilson")
    interval = result.test_set_interval
    assert (interval.low, interval.high) == pytest.approx((peer.low, peer.high), abs=1e-12)
    assert 0 <= interval.low < interval.high <= 1


def test_one_seed_has_no_seed_error_and_equal_ones_no_interval(whole):
    assert set(whole(accuracy_errors([0.9], 360)).reasons) == {"seed_error", "seed_interval"}
    result = whole(accuracy_errors([1.0, 1.0], 360))
    assert (result.seed_error, result.test_set_error) == (0.0, 0.0)
    assert set(result.reasons) == {"seed_interval"}
    assert result.test_set_interval.low < 0.99


def test_images_error_is_the_binomial_one_for_a_single_run():
    correct = np.arange(400) % 10 != 0
    unbiased = (0.9 * 0.1 / 399) ** 0.5
    assert images_error(correct) == pytest.approx(unbiased, rel=1e-12)


def test_what_two_cells_share_cancels_in_their_difference():
    generator = np.random.default_rng(0)
    difficulty = generator.uniform(size=2_000)
    a, b = (np.mean(generator.uniform(size=(6, 2_000)) < difficulty, axis=0) for _ in range(2))
    assert images_error(b - a) < 0.7 * np.hypot(images_error(a), images_error(b))


def test_both_errors_together_bound_the_whole_and_the_seeds_alone_do_not():
    """Planted: images of their own difficulty, runs of their own quality, new ones of both in every study."""
    generator = np.random.default_rng(1)
    studies, runs, images = 1_000, 4, 200
    difficulty = generator.normal(1.0, 1.5, size=(studies, 1, images))
    quality = generator.normal(0, 0.1, size=(studies, runs, 1))
    right = generator.uniform(size=(studies, runs, images)) < stats.norm.cdf(difficulty + quality)
    accuracies = right.mean(axis=2)
    found = [accuracy_errors(each, images) for each in accuracies]
    seeds = np.sqrt(np.mean([each.seed_error**2 for each in found]))
    test_set = np.sqrt(np.mean([each.test_set_error**2 for each in found]))
    whole_error = accuracies.mean(axis=1).std(ddof=1)
    assert whole_error < np.hypot(seeds, test_set)
    assert whole_error > 1.5 * seeds
    # The answers to single images come closer than the bound
    over_images = np.sqrt(np.mean([images_error(each.mean(axis=0)) ** 2 for each in right]))
    assert over_images < test_set
    assert np.hypot(seeds, over_images) == pytest.approx(whole_error, rel=0.1)


def test_nonsense_is_refused():
    with pytest.raises(UserError, match=r"test_top1: 89\.5 is no fraction"):
        accuracy_errors([89.5], 360, "test_top1")
    with pytest.raises(UserError, match="images=0"):
        accuracy_errors([0.9], 0)
    with pytest.raises(UserError, match="no value"):
        accuracy_errors([], 360)
    with pytest.raises(UserError, match="1 images"):
        images_error([1.0])
