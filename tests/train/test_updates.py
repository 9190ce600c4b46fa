"""Updates that look around, in real training: against torch by hand, stacked, by micro-batches, resumed."""

import pytest
import torch
from torch.nn import functional as F

from tests.train.conftest import crash, largest_difference, weights_of
from vitlab.models.vit import build

SAM = {"optim.update": {"name": "sam", "rho": 0.1}}
GSAM = {"optim.update": {"name": "gsam", "rho_max": 0.2, "rho_min": 0.05, "alpha": 0.5}}
UPDATES = pytest.mark.parametrize(
    "update", [pytest.param(SAM, id="sam"), pytest.param(GSAM, id="gsam", marks=pytest.mark.slow)]
)


def test_sam_is_torch_by_hand(tiny_run, loop_of):
    """Four steps of SGD; and the loss that is recorded is that at the weights, not beside them."""
    spec = tiny_run(SAM | {"optim.optimizer": "sgd", "optim.weight_decay": 0.0, "optim.clip_norm": None})
    loop, model = loop_of(spec), build(spec.model, spec.seed).double()
    optimiser = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    losses = []
    for step in range(4):
        batch = loop.loader.batch(step)

        def backward(batch=batch):
            loss = F.cross_entropy(model(batch.images[0]), batch.targets[0])
            optimiser.zero_grad()
            loss.backward()
            return loss.item()

        losses.append(backward())
        norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        moves = [0.1 * p.grad / (norm + 1e-12) for p in model.parameters()]
        with torch.no_grad():
            for p, move in zip(model.parameters(), moves, strict=True):
                p.add_(move)
        backward()
        with torch.no_grad():
            for p, move in zip(model.parameters(), moves, strict=True):
                p.sub_(move)
        optimiser.param_groups[0]["lr"] = loop.lr(step)
        optimiser.step()
        loop.step()
    assert largest_difference(weights_of(loop), {n: p.detach() for n, p in model.named_parameters()}) < 1e-12
    (line,) = loop.meter.read()
    assert line["train_loss"] == pytest.approx(sum(losses) / 4, rel=1e-12)


@pytest.mark.slow
@UPDATES
def test_stacked_and_in_micro_batches_it_is_the_same(tiny_run, loop_of, everything_random, update):
    """Runs of one structure with rates, and so radii, of their own."""
    specs = [tiny_run(everything_random | update | {"optim.lr": lr}, seed=3) for lr in (3e-3, 1e-2)]
    specs.append(tiny_run(everything_random | update | {"optim.schedule": "linear"}, seed=1))
    stacked = loop_of(specs, micro_batch=7)
    alone = [loop_of(spec) for spec in specs]
    for loop in (stacked, *alone):
        for _ in range(6):
            loop.step()
    for run, loop in enumerate(alone):
        assert largest_difference(weights_of(stacked, run), weights_of(loop)) <= 1e-10


@pytest.mark.slow
@UPDATES
def test_stopped_and_resumed_is_straight_through(tiny_run, run_tiny, tmp_path, at_step, records_of, update):
    spec = tiny_run(update)
    run_tiny(spec, tmp_path / "whole")
    at_step(7, crash)
    with pytest.raises(ConnectionError):
        run_tiny(spec, tmp_path / "broken")
    run_tiny(spec, tmp_path / "broken", resume=True)
    assert records_of(tmp_path / "broken") == records_of(tmp_path / "whole")
