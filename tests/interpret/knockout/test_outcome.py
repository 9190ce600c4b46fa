"""What knock-outs are said to do: true where it was planted, and nothing where nothing is."""

import numpy as np
import pytest
import torch

from vitlab.interpret.knockout.curve import head_curve
from vitlab.interpret.knockout.measure import Measured, measure
from vitlab.interpret.knockout.outcome import outcome
from vitlab.interpret.knockout.parts import Knockout, knockouts
from vitlab.models.vit import ViT


def measured(right, agrees=None):
    """Of a table of hits; losses go with them."""
    right = torch.as_tensor(right)
    return Measured(right, 1.0 - right.float(), right if agrees is None else agrees, 10, 10)


def parts(count):
    return [
        Knockout(f"blocks.0.attn.z.{head}", "head", 0, "blocks.0.attn.z", (slice(None), head)) for head in range(count)
    ]


def planted(tiny_spec, alone):
    """A model of one block in which one head alone carries what the images show, and the others carry nothing: head
    `alone` copies the tokens' first channels to the cls token, which the classifier reads.
    """
    model = ViT(tiny_spec(depth=1, num_heads=4, patch_size=4, pool="cls", norm="rms", num_classes=2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.blocks[0].norm1.weight.fill_(1.0)
        model.norm.weight.fill_(1.0)
        model.cls_token[..., 1] = 1.0
        model.patch_embed.proj.weight[0] = 0.1  # the brightness of a patch, into channel 0
        width, head_dim = 16, 4
        model.blocks[0].attn.qkv.weight[2 * width + alone * head_dim, 0] = 1.0
        model.blocks[0].attn.proj.weight[0, alone * head_dim] = 1.0
        model.head.weight[0, 0], model.head.weight[1, 0] = -1.0, 1.0
    return model


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (120,), generator=generator)
    images = (labels * 2.0 - 1)[:, None, None, None] + 0.1 * torch.randn(120, 3, 8, 12, generator=generator)
    return lambda: zip(images.split(32), labels.split(32), strict=True)


@pytest.mark.parametrize("alone", [0, 2])
@pytest.mark.parametrize("replacement", ["zero", "mean", "resample"])
def test_the_head_that_alone_carries_the_class_is_found_first_and_the_dead_ones_are_not(
    alone, replacement, tiny_spec, batches
):
    model = planted(tiny_spec, alone)
    every = [part for part in knockouts(model) if part.kind == "head"]
    found = outcome(every, [measure(model, batches, every, replacement)], replacement)
    assert found.top1 == 1.0
    first, *others = found.effects
    assert first.site == f"blocks.0.attn.z.{alone}"
    assert first.delta_top1 < -0.3
    assert first.high < 0
    assert first.p_adjusted < 1e-6
    assert all((each.delta_top1, each.low, each.high, each.p_adjusted) == (0, 0, 0, 1) for each in others)
    assert all(each.agreement == 1 for each in others)


def test_dead_heads_can_all_go(tiny_spec, batches):
    model = planted(tiny_spec, 1)
    every = knockouts(model)
    found = outcome(every, [measure(model, batches, every)], "zero")
    curve = head_curve(model, batches, every, found)
    assert curve.removable == 3
    assert curve.order[-1] == "blocks.0.attn.z.1"
    assert curve.top1[:4] == (1.0,) * 4
    assert curve.top1[4] < 0.7


@pytest.mark.slow
def test_false_positives_of_parts_that_change_answers_by_chance_are_at_most_5_percent(monkeypatch):
    """Parts that turn some answers, as many to the right as to the wrong: of 400 models with 20 such parts, in how many
    is anything found. (Intervals are not looked at, and so not resampled for long.)
    """
    monkeypatch.setattr("vitlab.interpret.knockout.outcome._RESAMPLES", 2)
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        whole = rng.random(300) < 0.7
        table = np.repeat(whole[None], 21, axis=0)
        for row in table[1:]:
            lost = rng.binomial(turned := rng.integers(5, 40), 0.5)
            row[rng.choice(np.flatnonzero(whole), lost, replace=False)] = False
            row[rng.choice(np.flatnonzero(~whole), turned - lost, replace=False)] = True
        found = outcome(parts(20), [measured(table)], "zero")
        wrong += any(effect.p_adjusted <= 0.05 for effect in found.effects)
    assert 0 < wrong / 400 <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


@pytest.mark.slow
def test_intervals_hold_the_mean_of_many_images_in_95_percent():
    rng = np.random.default_rng(1)
    held = 0
    for trial in range(300):
        whole = rng.random(200) < 0.8
        without = np.where(rng.random(200) < 0.25, rng.random(200) < 0.4, whole)
        (effect,) = outcome(parts(1), [measured(np.stack([whole, without]))], "zero", seed=trial).effects
        held += effect.low <= 0.25 * (0.4 - 0.8) <= effect.high
    assert 0.9 <= held / 300 <= 0.99


def test_several_seeds_are_told_over_seeds_and_images():
    rng = np.random.default_rng(2)
    runs = []
    for drop in (0.05, 0.30, 0.10, 0.25):
        whole = rng.random(2_000) < 0.9
        runs.append(measured(np.stack([whole, whole & (rng.random(2_000) > drop)])))
    (over_images,) = outcome(parts(1), runs[:1], "zero").effects
    (over_seeds,) = outcome(parts(1), runs, "zero").effects
    assert over_seeds.high - over_seeds.low > 5 * (over_images.high - over_images.low)
    assert over_seeds.low < -0.16 < over_seeds.high


def test_the_json_has_what_is_asked_of_it():
    found = outcome(parts(2), [measured(np.ones((3, 5), bool))], "mean").as_json()
    assert {"site", "kind", "delta_top1", "low", "high", "p_adjusted"} <= found["knockouts"][0].keys()
    assert (found["images"], found["replacement"], found["top1"]) == (5, "mean", 1.0)
