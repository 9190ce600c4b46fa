import pytest

from vitlab.augment import spaces


def magnitudes(space: str, operation: str, bins: int, rows: int, columns: int) -> tuple[list[float], bool]:
    """torchvision's, in our units: grey levels for Solarize, whole pixels for translations."""
    transforms = pytest.importorskip("torchvision.transforms.v2")
    make, signed = getattr(transforms, space)._AUGMENTATION_SPACE[operation]
    values = make(bins, rows, columns)
    if values is None:
        return [0.0] * bins, signed
    if operation == "Solarize":
        values = values * 255
    if operation.startswith("Translate"):
        values = (values + 1e-5).int()  # in float32 torchvision has 15.999999 for 16
    return [float(value) for value in values], signed


@pytest.mark.peer
@pytest.mark.parametrize(("rows", "columns"), [(32, 32), (224, 224), (40, 63)])
@pytest.mark.parametrize("operation", [*spaces.TORCHVISION, "Invert"])
def test_the_usual_space_is_torchvisions(operation: str, rows: int, columns: int):
    limits = spaces.usual_limits(rows, columns)
    for name, bins in (("RandAugment", 31), ("AutoAugment", 10)):
        if operation == ("Invert" if name == "RandAugment" else "Identity"):
            continue
        expected, signed = magnitudes(name, operation, bins, rows, columns)
        steps = [spaces.torchvision_step(operation, i / (bins - 1), limits) for i in range(bins)]
        assert [step.magnitude for step in steps] == pytest.approx(expected, rel=1e-6, abs=1e-5)
        assert {step.signed for step in steps} == {signed}


@pytest.mark.peer
@pytest.mark.parametrize("operation", spaces.TORCHVISION)
def test_the_wide_space_is_torchvisions(operation: str):
    expected, signed = magnitudes("TrivialAugmentWide", operation, 31, 32, 32)
    steps = [spaces.torchvision_step(operation, i / 30, spaces.wide_limits(), bits_lost=6) for i in range(31)]
    assert [step.magnitude for step in steps] == pytest.approx(expected, rel=1e-6, abs=1e-5)
    assert {step.signed for step in steps} == {signed}


@pytest.mark.peer
def test_it_has_torchvisions_operations():
    transforms = pytest.importorskip("torchvision.transforms.v2")
    assert set(spaces.TORCHVISION) == set(transforms.RandAugment._AUGMENTATION_SPACE)
    assert len(spaces.TORCHVISION) == 14


# level, and what Google's code makes of it for an image of 224 × 224; factors as their distance from 1
GOOGLE = {
    0.0: {"Rotate": 0, "Posterize": 1, "Solarize": 0, "SolarizeAdd": 0, "Color": -0.9, "ShearX": 0, "TranslateX": 0},
    0.7: {
        "Rotate": 21,
        "Posterize": 2,
        "Solarize": 179,
        "SolarizeAdd": 77,
        "Color": 0.36,
        "ShearX": 0.21,
        "Cutout": 28,
    },
    1.5: {"Rotate": 45, "Posterize": 6, "Solarize": 384, "SolarizeAdd": 165, "Color": 1.8, "TranslateY": 150},
    2.0: {"Rotate": 60, "Posterize": 8, "Solarize": 512, "SolarizeAdd": 220, "Color": 2.7, "ShearY": 0.6, "Cutout": 80},
}


@pytest.mark.parametrize("level", GOOGLE)
def test_googles_magnitudes(level: float):
    steps = {step.operation: step for step in spaces.google_steps(level, 224, 224)}
    assert len(steps) == 16
    assert {name: steps[name].magnitude for name in GOOGLE[level]} == pytest.approx(GOOGLE[level])
    assert {steps[name].magnitude for name in ("Contrast", "Brightness", "Sharpness")} == {steps["Color"].magnitude}
    signed = {name for name, step in steps.items() if step.signed}
    assert signed == {"Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY"}
    assert {step.probability for step in steps.values()} == {1.0}


def test_googles_pixels_are_shares_of_the_sides():
    steps = {step.operation: step.magnitude for step in spaces.google_steps(1.0, 112, 56)}
    assert (steps["TranslateX"], steps["TranslateY"], steps["Cutout"]) == pytest.approx((25, 50, 10))
