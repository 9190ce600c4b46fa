import pytest
import torch
from torch import Tensor

from tests.augment.pictures import pictures, torchvision_steps
from vitlab.augment import policy
from vitlab.augment.ops.auto_augment import POLICIES, Spec, steps
from vitlab.base.errors import SpecError
from vitlab.rng import sample_keys, subkeys

SAMPLES = 200
KEYS = sample_keys(torch.tensor([0]), torch.arange(SAMPLES))[0]
PICTURES = {size: pictures(SAMPLES, 3, *size) for size in ((32, 32), (36, 50))}


def drawn(spec: Spec, place: int, rows: int, columns: int, keys: Tensor = KEYS) -> tuple[Tensor, Tensor]:
    """Which operation each sample meets in a place, and its magnitude."""
    offered = steps(spec.policy, spec.rotate_sign, rows, columns)
    choice = policy.choose(offered[0], keys)
    return policy.drawn(offered[place], choice, subkeys(keys, f"augment.auto_augment.{place}"))


@pytest.mark.peer
@pytest.mark.parametrize("name", POLICIES)
def test_the_policies_are_torchvisions(name: str):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    theirs = transforms.AutoAugment(transforms.AutoAugmentPolicy(name))._policies
    numbered = [tuple((op, p, strength or 0) for op, p, strength in pair) for pair in theirs]
    assert list(POLICIES[name]) == numbered
    assert len(numbered) == 25


@pytest.mark.peer
@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("size", PICTURES)
@pytest.mark.parametrize("fill", [0, 128])
def test_every_image_is_what_torchvision_makes_of_it(fill: int, size: tuple[int, int], name: str):
    spec = Spec(policy=name, fill=fill)
    expected = PICTURES[size]
    for place in range(2):
        code, magnitude = drawn(spec, place, *size)
        expected = torchvision_steps(expected, code, magnitude, fill)
    ours = spec.apply(PICTURES[size], KEYS)
    assert (ours != PICTURES[size]).flatten(1).any(1).float().mean() > 0.6
    # rounding may choose another one of two pixels that are equally near
    assert (ours != expected).float().mean() < 1e-4


@pytest.mark.parametrize("name", POLICIES)
def test_sub_policies_are_equally_likely_and_their_operations_as_likely_as_they_say(name: str):
    stats = pytest.importorskip("scipy.stats")
    keys = sample_keys(torch.tensor([1]), torch.arange(50_000))[0]
    places = steps(name, True, 32, 32)
    choice = policy.choose(places[0], keys)
    assert stats.chisquare(torch.bincount(choice, minlength=25)).pvalue > 0.001
    for place, offered in enumerate(places):
        code, _ = drawn(Spec(policy=name), place, 32, 32, keys)
        for sub_policy, step in enumerate(offered):
            met = code[choice == sub_policy] == policy.CODES[step.operation]
            p = step.probability
            assert met.float().mean().item() == pytest.approx(p, abs=4 * (p * (1 - p) / len(met)) ** 0.5)


@pytest.mark.parametrize("rotate_sign", [True, False])
def test_rotations_go_to_both_sides_or_to_one(rotate_sign: bool):
    spec = Spec(policy="imagenet", rotate_sign=rotate_sign)
    code, magnitude = drawn(spec, 0, 32, 32)
    signs = magnitude[code == policy.CODES["Rotate"]].sign().unique().tolist()
    assert signs == ([-1.0, 1.0] if rotate_sign else [1.0])
    code, magnitude = drawn(Spec(rotate_sign=rotate_sign), 0, 32, 32)
    translated = magnitude[code == policy.CODES["TranslateY"]]
    assert translated.sign().unique().tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("fill", [-1, 256])
def test_what_is_no_grey_level_is_refused(fill: int):
    with pytest.raises(SpecError, match=f"auto_augment.fill={fill}"):
        Spec(fill=fill)
