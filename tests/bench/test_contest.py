import pytest
import torch

from vitlab.bench.contest import WARM_UP, Contestant, matrix_product, ratio, run_rounds

CPU = torch.device("cpu")


def contestant(seconds, images=10):
    return Contestant("someone", "", images, lambda: None, seconds=list(seconds))


def test_ratio_is_the_median_of_the_ratios_within_rounds():
    """A machine that slows down in the second half must not decide: each round is compared with itself."""
    ours, theirs = contestant([1, 1, 10, 10, 10]), contestant([2, 2, 20, 20, 5])
    assert ratio(ours, theirs) == 2


def test_images_per_second_is_of_the_median_round():
    assert contestant([1, 2, 100]).images_per_second == 5


def test_contestants_take_turns():
    calls = []
    both = [Contestant(name, "", 1, lambda name=name: calls.append(name)) for name in "ab"]
    run_rounds(both, CPU, rounds=3, seconds=0)
    assert (
        "".join(calls) == "a" * WARM_UP + "b" * WARM_UP + "aabb" * 3
    )  # each turn begins with a call that is not timed
    assert [len(c.seconds) for c in both] == [3, 3]


def test_the_peak_counts_two_operations_a_multiply_add():
    product = matrix_product(torch.float32, CPU)
    assert product.images == 2 * 2048**3
    assert product.work().shape == (2048, 2048)


def test_a_contestant_that_was_never_timed_has_no_figure():
    with pytest.raises(ValueError, match="no median"):
        _ = contestant([]).images_per_second
