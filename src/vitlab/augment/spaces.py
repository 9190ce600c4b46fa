"""Spaces of operations that policies choose from, with the magnitude that each level stands for.

A level is a share of an operation's greatest magnitude. What magnitudes mean is told by `vitlab.augment.policy.Step`.
"""

from vitlab.augment.policy import Step

# RandAugment's operations; AutoAugment's policies use Invert in place of Identity
TORCHVISION = (
    "Identity",
    "ShearX",
    "ShearY",
    "TranslateX",
    "TranslateY",
    "Rotate",
    "Brightness",
    "Color",
    "Contrast",
    "Sharpness",
    "Posterize",
    "Solarize",
    "AutoContrast",
    "Equalize",
)


def usual_limits(rows: int, columns: int) -> dict[str, float]:
    """The magnitudes at level 1 of the operations that grow with the level and have a sign (arXiv 1805.09501)."""
    return {
        "ShearX": 0.3,
        "ShearY": 0.3,
        "TranslateX": 150 / 331 * columns,
        "TranslateY": 150 / 331 * rows,
        "Rotate": 30.0,
        **dict.fromkeys(("Brightness", "Color", "Contrast", "Sharpness"), 0.9),
    }


def wide_limits() -> dict[str, float]:
    """The same for TrivialAugment's wide space (arXiv 2103.10158); translations do not depend on the image."""
    return {
        **dict.fromkeys(("ShearX", "ShearY"), 0.99),
        **dict.fromkeys(("TranslateX", "TranslateY"), 32.0),
        "Rotate": 135.0,
        **dict.fromkeys(("Brightness", "Color", "Contrast", "Sharpness"), 0.99),
    }


def torchvision_step(
    operation: str, level: float, limits: dict[str, float], bits_lost: int = 4, probability: float = 1.0
) -> Step:
    """An operation at a level from 0 to 1, with torchvision's formulas.

    `bits_lost`: by Posterize at level 1, of 8. Translations are cut down to whole pixels.
    """
    if operation in limits:
        magnitude = level * limits[operation]
        magnitude = float(int(magnitude)) if operation.startswith("Translate") else magnitude
        return Step(operation, magnitude, signed=True, probability=probability)
    falling = {"Posterize": float(round(8 - level * bits_lost)), "Solarize": 255 * (1 - level)}
    return Step(operation, falling.get(operation, 0.0), probability=probability)


def google_steps(level: float, rows: int, columns: int) -> tuple[Step, ...]:
    """RandAugment's operations at a level from 0 on, with the formulas of Google's code for it.

    That is the code behind AugReg (arXiv 2106.10270), where levels go up to 2. It counts pixels on images of 224 × 224;
    here they are shares of the sides, of the shorter one for Cutout. Posterize keeps a bit even at level 0 (AugReg's
    light1): TensorFlow shifts a byte by 7 bits at most.
    """
    enhance = level * 1.8 + 0.1 - 1
    return (
        Step("AutoContrast"),
        Step("Equalize"),
        Step("Invert"),
        Step("Rotate", level * 30, signed=True),
        Step("Posterize", max(int(level * 4), 1)),
        Step("Solarize", int(level * 256)),
        Step("Color", enhance),
        Step("Contrast", enhance),
        Step("Brightness", enhance),
        Step("Sharpness", enhance),
        Step("ShearX", level * 0.3, signed=True),
        Step("ShearY", level * 0.3, signed=True),
        Step("TranslateX", level * 100 / 224 * columns, signed=True),
        Step("TranslateY", level * 100 / 224 * rows, signed=True),
        Step("Cutout", int(level * 40 / 224 * min(rows, columns))),
        Step("SolarizeAdd", int(level * 110)),
    )
