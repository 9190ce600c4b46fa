"""Learning rates along the depth: against PyTorch's parameter groups built by hand, stacked, resumed, regrouped."""

import math

import pytest
import torch
from torch.nn import functional as F

from tests.train.conftest import crash, largest_difference, weights_of
from vitlab.base.files import read_lines
from vitlab.checkpoints import native
from vitlab.models.vit import build
from vitlab.nn.kinds import parameter_kinds

STEPS = 6
RULES = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=1.0),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=1.0, momentum=0.9),
}
RATES = {  # settings -> the factors of the embeddings, the two blocks, the norm and the head
    "layers": ({"optim.layer_decay": 0.6}, (0.6**3, 0.6**2, 0.6, 1.0, 1.0)),
    "backbone": ({"optim.backbone_lr": 3e-4}, (0.1, 0.1, 0.1, 0.1, 1.0)),
    "both": ({"optim.layer_decay": 0.5, "optim.backbone_lr": 3e-4}, (0.0125, 0.025, 0.05, 0.1, 1.0)),
}
LEARNED = {"model.pos_embed": "learned", "model.cls_token": True}  # embeddings of every sort


def scheduled(step):
    """Two steps of warm-up from 0 to 3e-3, then half a cosine to 1e-4; every rate is this one times its factor."""
    return 3e-3 * step / 2 if step < 2 else 1e-4 + (3e-3 - 1e-4) * (1 + math.cos(math.pi * (step - 2) / 4)) / 2


def groups_by_hand(model, factors):
    """One group a layer and kind of parameter, without a line of vitlab's grouping."""
    embeddings = [p for name, p in model.named_parameters() if name.startswith(("patch_embed", "pos_embed", "cls"))]
    layers = [embeddings, *(list(block.parameters()) for block in model.blocks)]
    layers += [list(model.norm.parameters()), list(model.head.parameters())]
    kinds = parameter_kinds(model)
    kernels = {id(p) for name, p in model.named_parameters() if kinds[name] == "kernel"}
    return [
        {"params": [p for p in layer if (id(p) in kernels) == decays], "weight_decay": 0.3 * decays, "factor": factor}
        for layer, factor in zip(layers, factors, strict=True)
        for decays in (True, False)
        if any((id(p) in kernels) == decays for p in layer)
    ]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("rates", RATES)
def test_steps_equal_torch_with_groups_built_by_hand(tiny_run, loop_of, rule, rates):
    settings, factors = RATES[rates]
    common = {"optim.optimizer": rule, "optim.weight_decay": 0.3, "optim.clip_norm": 0.5}
    common |= {"optim.schedule.min_lr": 1e-4, "optim.schedule.warmup_steps": 2}
    spec = tiny_run({**settings, **common, **LEARNED}, steps=STEPS)
    loop = loop_of(spec)
    model = build(spec.model, spec.seed).double()
    optimiser = RULES[rule](groups_by_hand(model, factors))
    for step in range(STEPS):
        batch = loop.loader.batch(step)
        F.cross_entropy(model(batch.images[0]), batch.targets[0]).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        for group in optimiser.param_groups:
            group["lr"] = scheduled(step) * group["factor"]
        optimiser.step()
        optimiser.zero_grad()
        loop.step()
        assert loop.lr(step) == pytest.approx(scheduled(step), rel=1e-12)  # the records' rate is the base rate
    assert largest_difference(weights_of(loop), {n: p.detach() for n, p in model.named_parameters()}) < 1e-12


def test_a_frozen_backbone_stays_to_the_bit_and_the_head_learns(tiny_run, loop_of):
    loop = loop_of(tiny_run({"optim.backbone_lr": 0.0, "optim.weight_decay": 0.3}))
    before = weights_of(loop)
    for _ in range(4):
        loop.step()
    after = weights_of(loop)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"head.weight", "head.bias"}


@pytest.mark.slow
def test_stacked_runs_are_single_ones(tiny_run, loop_of, everything_random):
    spec = tiny_run(everything_random | RATES["both"][0] | LEARNED | {"optim.ema": 0.9})
    stacked, alone = loop_of(spec, seeds=(3, 7)), loop_of(spec, seeds=(7,))
    for _ in range(8):
        stacked.step()
        alone.step()
    assert largest_difference(weights_of(stacked, 1), weights_of(alone)) <= 1e-10


@pytest.mark.slow
def test_stopped_and_resumed_is_straight_through(tiny_run, run_tiny, tmp_path, at_step, records_of):
    """And the lines tell the base rate."""

    spec = tiny_run(RATES["both"][0])
    run_tiny(spec, tmp_path / "straight")
    at_step(8, crash)
    with pytest.raises(ConnectionError):
        run_tiny(spec, tmp_path / "broken")
    run_tiny(spec, tmp_path / "broken", resume=True)
    assert records_of(tmp_path / "straight") == records_of(tmp_path / "broken")
    plain = run_tiny(tiny_run(), tmp_path / "plain")
    assert plain["status"] == "finished"
    rates = [[line["lr"] for line in read_lines(tmp_path / name / "metrics.jsonl")] for name in ("straight", "plain")]
    assert rates[0] == rates[1]


def test_checkpoints_know_names_and_no_groups(tiny_run, run_tiny, loop_of, tmp_path):
    """What ten groups wrote, two groups read: weights, both moments, and the raw weights beside an average."""
    average = {"optim.ema": 0.9}
    run_tiny(tiny_run(RATES["layers"][0] | average), tmp_path, precision="fp64")
    saved = native.load(native.latest(tmp_path / "checkpoint"))
    loop = loop_of(tiny_run(average))
    assert len(loop.state.weights.groups) == 2
    loop.state.restore(0, saved.tensors.model, saved.tensors.training, saved.step)
    here = (loop.state.evaluated(0), loop.state.tensors(0))
    for mine, theirs in zip(here, (saved.tensors.model, saved.tensors.training), strict=True):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
