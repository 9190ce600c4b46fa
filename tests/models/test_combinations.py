"""Any legal combination of parts works, and any other is refused with a reason.

Every pair of choices and 1,000 random combinations in the slow tests; all of them with
`python -m pytest tests/models/test_combinations.py --every-combination -n 2`.
"""

import itertools
import random
from pathlib import Path

import pytest
import torch

from tests.checkpoints.saving import meta_of, save_model
from vitlab.checkpoints.trained import load
from vitlab.interpret.attention import attention_maps
from vitlab.models.combinations import Combination, Space, axes, build, reason
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import build as build_model
from vitlab.nn.mixer._base import Mixer

SMALL = {"resnet": {"stages": [1]}}  # a hybrid of one stage, whose stride is the tiny patch of 4
CHUNKS = 40


@pytest.fixture(scope="module")
def space(tiny_spec) -> Space:
    return Space(tiny_spec(pool="mean"), axes(SMALL))


def check(spec: ViTSpec, folder: Path) -> None:
    """Forward, backward, save, load, attention map."""
    model = build_model(spec)
    images = torch.rand(2, 3, *spec.img_size, generator=torch.Generator().manual_seed(1))
    logits = model(images)
    assert logits.shape == (2, spec.num_classes)
    assert logits.isfinite().all()
    logits.square().sum().backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.any() for gradient in gradients)
    again = load(save_model(folder, model, meta_of(spec))).model
    assert torch.equal(again(images), logits)
    tokens = spec.dims().num_tokens
    if spec.mixer.has_logits:
        maps = attention_maps(model, images)
        mixers = [module for module in model.modules() if isinstance(module, Mixer)]
        assert maps.shape[:2] == (len(mixers), 2)
        assert maps.shape[-2:] == (tokens, tokens)
        assert maps.isfinite().all()


def check_all(space: Space, combinations: list[Combination], folder: Path) -> None:
    failed = {}
    for combination in combinations:
        try:
            check(build(space.base, combination), folder)
        except Exception as error:  # all of them are wanted, by name
            failed["; ".join(option.name for option in combination)] = repr(error)
    assert failed == {}


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(4))
def test_every_pair_of_choices_works_in_some_combination(chunk, space, tmp_path):
    check_all(space, space.covering()[chunk::4], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(4))
def test_a_thousand_random_combinations_work(chunk, space, tmp_path):
    check_all(space, space.sample(1000, seed=1)[chunk::4], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_combination_works(chunk, space, tmp_path, request):
    if not request.config.getoption("--every-combination"):
        pytest.skip("some hours: python -m pytest tests/models/test_combinations.py --every-combination -n 2")
    check_all(space, list(itertools.islice(space.all(), chunk, None, CHUNKS)), tmp_path)


def test_the_covering_array_has_every_legal_pair(space):
    covered = {frozenset((a.name, b.name)) for c in space.covering() for a, b in itertools.combinations(c, 2)}
    for left, right in itertools.combinations(space.axes.values(), 2):
        for a, b in itertools.product(left, right):
            assert (frozenset((a.name, b.name)) in covered) == space.fits((a, b))


@pytest.mark.slow
def test_all_are_different_and_as_many_as_fit(space):
    found = [tuple(option.name for option in combination) for combination in space.all()]
    assert len(found) == len(set(found))
    draw = random.Random(3)
    tuples = [tuple(draw.choice(choices) for choices in space.axes.values()) for _ in range(2000)]
    names = set(found)
    for options in tuples:
        assert (tuple(option.name for option in options) in names) == space.fits(options)


def test_the_rules_refuse_what_has_a_refused_pair_and_nothing_else(space):
    draw = random.Random(2)
    seen = set()
    for _ in range(400):
        options = tuple(draw.choice(choices) for choices in space.axes.values())
        why = reason(space.base, options)
        assert (why is None) == space.fits(options), "; ".join(option.name for option in options)
        seen.add(why is None)
    assert seen == {True, False}


def test_every_refusal_names_both_settings(space):
    for first, second, why in space.refused.values():
        for option in (first, second):
            alone = option.name.split(", ")  # attention and mixer stand on one axis: either may be what is refused
            assert any(setting in why for setting in alone) or ("cls_token=False" in why and alone == ["patches only"])
