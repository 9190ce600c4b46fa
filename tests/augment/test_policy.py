import pytest
import torch
from torch import Tensor

from tests.augment.pictures import pictures, torchvision_steps
from vitlab.augment import chosen, colour, geometry, policy
from vitlab.augment.policy import Step
from vitlab.rng import sample_keys

KEYS = sample_keys(torch.tensor([0]), torch.arange(24))[0]
MANY = sample_keys(torch.tensor([1]), torch.arange(40_000))[0]
IMAGES = pictures(24, 3, 32, 40)
ONE = torch.zeros(24, dtype=torch.int64)  # everybody's choice is the first step

STEPS = [
    Step("Identity"),
    Step("ShearX", 0.23, signed=True),
    Step("ShearY", 0.17, signed=True),
    Step("TranslateX", 7.0, signed=True),
    Step("TranslateY", 5.0, signed=True),
    Step("Rotate", 23.0, signed=True),
    Step("Brightness", 0.6, signed=True),
    Step("Color", 0.6, signed=True),
    Step("Contrast", 0.6, signed=True),
    Step("Sharpness", 0.6, signed=True),
    Step("Posterize", 5.0),
    Step("Solarize", 100.0),
    Step("AutoContrast"),
    Step("Equalize"),
    Step("Invert"),
]
OWN = [Step("SolarizeAdd", 90.0), Step("Cutout", 6.0)]


def taken(steps: tuple[Step, ...], choice: Tensor, images: Tensor = IMAGES, keys: Tensor = KEYS) -> Tensor:
    return policy.take(steps, choice, images, keys, "nearest", 128)


def test_the_operations_are_all_here():
    assert {step.operation for step in [*STEPS, *OWN]} == set(policy.OPERATIONS)


@pytest.mark.peer
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.operation)
def test_every_step_is_torchvisions(step: Step):
    code, magnitude = policy.drawn((step,), ONE, KEYS)
    assert len(magnitude.unique()) == 1 + step.signed
    expected = torchvision_steps(IMAGES, code, magnitude, 128)
    assert torch.equal(taken((step,), ONE), expected)


def test_the_steps_that_torchvision_has_not_are_their_operations():
    table = colour.solarize_add(torch.full((24,), 90.0))
    assert torch.equal(taken((OWN[0],), ONE), colour.look_up(IMAGES, table))
    blank = torch.full_like(IMAGES, 3)
    cut = taken((OWN[1],), ONE, blank)
    assert set(cut.unique().tolist()) == {3, 128}
    area = (cut == 128).flatten(1).sum(1) / 3
    assert area.max() == 12 * 12
    assert area.min() >= 6 * 6  # the centre is inside the image, so at least a quarter of the square is


def test_the_centres_of_cutouts_are_uniform():
    stats = pytest.importorskip("scipy.stats")
    keys = MANY[:6000]
    blank = torch.zeros(6000, 1, 6, 10, dtype=torch.uint8)
    cut = policy.take((Step("Cutout", 1.0),), torch.zeros(6000, dtype=torch.int64), blank, keys, "nearest", 1)
    last_row, last_column = (cut[:, 0].amax(axis).argmax(1) for axis in (2, 1))  # where each square begins
    counts = torch.bincount(last_row * 9 + last_column)
    # a square that begins at -1 is cut off and seems to begin at 0
    expected = torch.full((5, 9), 100.0)
    expected[0] *= 2
    expected[:, 0] *= 2
    assert stats.chisquare(counts, expected.flatten()).pvalue > 0.001


def test_every_sample_goes_through_its_own_step_and_through_no_other():
    steps = (*STEPS, *OWN)
    choice = torch.arange(24) % len(steps)
    alone = [taken((steps[choice[i]],), ONE[:1], IMAGES[i : i + 1], KEYS[i : i + 1]) for i in range(24)]
    assert torch.equal(taken(steps, choice), torch.cat(alone))


def test_choosing_first_and_selecting_afterwards_give_the_same_pixels(monkeypatch: pytest.MonkeyPatch):
    steps = (*STEPS, *OWN)
    choice = torch.arange(24) % len(steps)
    expected = taken(steps, choice)
    monkeypatch.setattr(chosen, "only_chosen", chosen.all_then_select)
    assert torch.equal(taken(steps, choice), expected)


def test_all_steps_are_equally_likely():
    stats = pytest.importorskip("scipy.stats")
    counts = torch.bincount(policy.choose(tuple(STEPS), MANY), minlength=len(STEPS))
    assert stats.chisquare(counts).pvalue > 0.001


def test_how_often_a_step_is_taken_and_with_which_sign():
    choice = torch.zeros(40_000, dtype=torch.int64)
    code, magnitude = policy.drawn((Step("Rotate", 20.0, signed=True, probability=0.3),), choice, MANY)
    names = [policy.OPERATIONS[int(each)] for each in code.unique()]
    assert names == ["Identity", "Rotate"]
    rotated = code == policy.CODES["Rotate"]
    assert rotated.float().mean().item() == pytest.approx(0.3, abs=4 * 0.0023)
    assert magnitude.abs().unique().tolist() == [20.0]
    assert (magnitude[rotated] < 0).float().mean().item() == pytest.approx(0.5, abs=4 * 0.0046)


def test_the_kinds_of_operations_do_not_overlap():
    code = torch.arange(len(policy.OPERATIONS)).float()
    names = [policy.OPERATIONS[i] for i in policy._among(code, policy.MAPS).nonzero()[:, 0]]
    assert names == list(policy.MAPS)
    names = [policy.OPERATIONS[i] for i in policy._among(code, policy.TABLES).nonzero()[:, 0]]
    assert names == list(policy.TABLES)


def test_interpolation_and_fill_reach_the_geometry():
    step = (Step("Rotate", 30.0),)
    expected = geometry.warp(IMAGES, geometry.rotate(torch.full((24,), 30.0)), "bilinear", 55)
    assert torch.equal(policy.take(step, ONE, IMAGES, KEYS, "bilinear", 55), expected)
