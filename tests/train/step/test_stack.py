"""Stacked runs: each is the run that it would be alone, whatever the model is made of."""

import pytest

from tests.conftest import mostly_slow
from tests.reading import read_json
from tests.train.conftest import largest_difference, variant, weights_of
from vitlab.base.spec import component_names
from vitlab.train.launch import train
from vitlab.train.machine.choices import Overrides

SEEDS = (3, 0, 7)
FAMILIES = ("patch_embed", "pos_embed", "attention", "mixer", "block", "norm", "mlp", "pool", "head")
VARIANTS = [(family, name) for family in FAMILIES for name in component_names(f"vitlab.nn.{family}")]


def distances(loop_of, spec, steps, seeds):
    """Of every stacked run from the single one, after `steps` steps; and of the first from where it began."""
    stacked = loop_of(spec, seeds)
    start = weights_of(stacked)
    for _ in range(steps):
        stacked.step()
    found = []
    for run, seed in enumerate(seeds):
        alone = loop_of(spec, (seed,))
        for _ in range(steps):
            alone.step()
        found.append(largest_difference(weights_of(alone), weights_of(stacked, run)))
    return found, largest_difference(start, weights_of(stacked))


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["softmax", "linear"])
def test_three_runs_equal_single_ones_after_fifty_steps(tiny_run, loop_of, everything_random, attention):
    """Augmentation, drop path, dropout, a clipping that acts, and an average; to 1e-8 in double precision."""
    spec = tiny_run(
        everything_random
        | {"model.attention": attention, "optim.clip_norm": 0.5, "optim.ema": 0.9, "model.cls_token": True},
        steps=50,
    )
    found, moved = distances(loop_of, spec, 50, SEEDS)
    assert max(found) <= 1e-8
    assert moved > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["softmax", "linear"])
def test_in_single_precision_the_scores_of_fifty_steps_are_those_of_single_runs(tiny_run, tmp_path, attention):
    """val_loss within 1e-4, accuracies within one image, through everything that a run is made of."""
    specs = [tiny_run({"model.attention": attention}, steps=50, seed=seed) for seed in SEEDS]
    overrides = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
    stacked = train(specs, [tmp_path / f"stacked-{spec.seed}" for spec in specs], overrides=overrides)
    alone = [train([spec], [tmp_path / f"alone-{spec.seed}"], overrides=overrides)[0] for spec in specs]
    images = read_json(tmp_path / "alone-0" / "data.json")
    for one, other in zip(stacked, alone, strict=True):
        ours, theirs = one["metrics"], other["metrics"]
        assert abs(ours["val_loss"] - theirs["val_loss"]) <= 1e-4
        for split in ("val", "test"):
            assert abs(ours[f"{split}_top1"] - theirs[f"{split}_top1"]) * images[split]["images"] <= 1 + 1e-9
    losses = [result["metrics"]["val_loss"] for result in alone]
    assert max(losses) - min(losses) > 1e-2  # seeds differ by more than rounding


@pytest.mark.parametrize(("family", "name"), mostly_slow(VARIANTS))
def test_every_variant_can_be_stacked(tiny_run, loop_of, family, name):
    spec = tiny_run(variant(family, name))
    found, moved = distances(loop_of, spec, 3, (0, 1))
    assert max(found) <= 1e-10
    assert moved > 1e-5


def test_what_models_may_have_besides_can_be_stacked(tiny_run, loop_of, everything_random):
    extras = {
        "model.cls_token": True,
        "model.num_registers": 2,
        "model.layer_scale": 0.1,
        "model.qk_norm": True,
        "model.final_norm": "after_pool",
    }
    found, _ = distances(loop_of, tiny_run(everything_random | extras), 3, (0, 1))
    assert max(found) <= 1e-10
