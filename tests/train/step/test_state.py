import pytest
import torch

from tests.train.conftest import largest_difference, weights_of


def test_the_average_follows_its_formula(tiny_run, loop_of):
    """a = d·a + (1 - d)·w with d the smaller of the decay and (1 + n) / (10 + n), n the steps taken."""
    loop = loop_of(tiny_run({"optim.ema": 0.3}))
    name = "blocks.1.attn.qkv.weight"
    expected = weights_of(loop)[name]
    for step in range(1, 6):
        loop.step()
        decay = min(0.3, (1 + step) / (10 + step))
        raw = loop.state.tensors(0)[f"weights.{name}"]
        expected = decay * expected + (1 - decay) * raw
        torch.testing.assert_close(loop.state.evaluated(0)[name], expected, rtol=0, atol=1e-15)
    assert decay == 0.3  # both parts of the minimum have been the smaller one
    assert (expected - raw).abs().max() > 1e-5


def test_the_average_is_evaluated_and_the_raw_weights_are_trained(tiny_run, loop_of):
    """Evaluating between steps changes nothing, and what is evaluated is the average."""
    plain, averaged = loop_of(tiny_run()), loop_of(tiny_run({"optim.ema": 0.5}))
    for _ in range(4):
        averaged.state.compute_with_evaluated()
        for loop in (plain, averaged):
            loop.step()
    raw = {n: averaged.state.tensors(0)[f"weights.{n}"] for n in weights_of(plain)}
    assert largest_difference(weights_of(plain), raw) == 0
    averaged.state.compute_with_evaluated()
    leaves = {name: leaf.detach() for name, leaf in averaged.state.weights.leaves.items()}
    assert largest_difference(leaves, weights_of(averaged)) == 0


@pytest.mark.parametrize("rule", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("ema", [None, 0.9])
def test_restoring_gives_back_everything(tiny_run, loop_of, rule, ema):
    """Four steps, or two, a copy into a fresh state, and two: the same, bit for bit."""
    spec = tiny_run({"optim.optimizer": rule, "optim.ema": ema})
    straight, broken, fresh = loop_of(spec), loop_of(spec), loop_of(spec)
    for _ in range(2):
        broken.step()
    saved = [{n: t.clone() for n, t in part.items()} for part in (broken.state.evaluated(0), broken.state.tensors(0))]
    fresh.state.restore(0, *saved, step=2)
    for _ in range(4):
        straight.step()
    for _ in range(2):
        fresh.step()
    assert largest_difference(weights_of(straight), weights_of(fresh)) == 0
    assert largest_difference(straight.state.tensors(0), fresh.state.tensors(0)) == 0


def test_a_missing_tensor_is_an_error(tiny_run, loop_of):
    loop = loop_of(tiny_run())
    with pytest.raises(KeyError, match="head"):
        loop.state.restore(0, {n: t for n, t in weights_of(loop).items() if "head" not in n}, {}, 0)


def test_finite_says_which_run_is_not(tiny_run, loop_of):
    loop = loop_of(tiny_run(), seeds=(0, 1, 2))
    loop.state.weights.masters[0][1, 5] = float("inf")
    loop.state.weights.masters[1][2, 0] = float("nan")
    assert loop.state.finite() == [True, False, False]
