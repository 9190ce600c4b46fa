import pytest
import torch

from vitlab.bench import contest
from vitlab.bench.contest import WARM_UP, Budget, Contestant, matrix_product, ratio, run_rounds

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


@pytest.fixture
def clock(monkeypatch):
    """`clock(5.0)`: a contestant each of whose calls takes so many seconds of the clock."""
    now = [0.0]
    monkeypatch.setattr(contest.time, "perf_counter", lambda: now[0])

    def taking(seconds):
        def work():
            now[0] += seconds

        return Contestant("someone", f"{seconds} s", 1, work)

    return taking


@pytest.mark.parametrize(("seconds", "taken"), [(1000, 5), (65, 5), (64, 4), (35, 2), (20, 2), (0, 2)])
def test_a_contest_keeps_its_budget_but_for_two_rounds(clock, seconds, taken):
    """A first call of each takes 15 s, a round 10 s more each time: fewer rounds rather than more time."""
    both = [clock(5.0), clock(5.0)]
    assert run_rounds(both, CPU, 5, budget=Budget(seconds - 5)) == taken
    assert [len(one.seconds) for one in both] == [taken] * 2


def test_who_asks_for_one_round_gets_one(clock):
    assert run_rounds([clock(5.0)], CPU, 1, budget=Budget(0)) == 1


def test_every_call_is_told(clock):
    said = []
    run_rounds([clock(2.0), clock(3.0)], CPU, 1, say=said.append)
    assert said == [
        "first call of someone, 2.0 s",
        "first call of someone, 3.0 s",
        "round 1 of 1: someone, 2.0 s",
        "round 1 of 1: someone, 3.0 s",
    ]


def test_the_peak_counts_two_operations_a_multiply_add():
    product = matrix_product(torch.float32, CPU)
    assert product.images == 2 * 2048**3
    assert product.work().shape == (2048, 2048)


def test_a_contestant_that_was_never_timed_has_no_figure():
    with pytest.raises(ValueError, match="no median"):
        _ = contestant([]).images_per_second
