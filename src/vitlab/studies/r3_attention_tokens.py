"""Patches and softmax, pixels and linear attention, convolved pixels: what do R3's attention and tokens do?

R3 (nanovit) trains three systems on CIFAR-10: VIT (patches of 2, softmax attention), VITL (every pixel a token, linear
attention) and VITX (VITL's with three convolutions before). From VIT to VITL two things change at once, so `factorial`
crosses them: all three kinds of tokens, each with both kinds of attention.

    vitlab study r3_attention_tokens               21 runs, 1.5e17 FLOPs; 40 passes
    vitlab study r3_attention_tokens:factorial     44 runs, 4.6e17 FLOPs
    vitlab study r3_attention_tokens:short         14 runs, 5.2e14 FLOPs; for a CPU
    vitlab study r3_attention_tokens:digits        21 runs, 4.7e12 FLOPs; for a laptop

Published: VIT 75.83 (829,322 parameters, 93.9 s an epoch on an M1 Pro), VITL 65.58 (924,426; 171.1 s), VITX 78.89
(1,017,162; 178.8 s), each the best test epoch of one run. As there, the test split is looked at every epoch, and the
records say so; but here the last step counts. Layer norm's eps and weight decay on all parameters are inferred.
"""

from vitlab.recipes import changed, recipe
from vitlab.study.design import factorial as crossed
from vitlab.study.design import listed
from vitlab.study.design._base import Level
from vitlab.study.spec import StudySpec, choice

QUESTION = "What do linear attention and pixels as tokens do in a small ViT?"
LINEAR = {"model.attention": "linear", "model.qkv_bias": False, "model.proj_bias": False}  # R3's has no biases
PIXELS = {"model.patch_embed": "pixels"}
CONVOLVED = {"model.patch_embed": "pixel_cnn"}
SHORT = {  # every image is seen once; the curve is of 1,000 images kept out, the test images are read once, at the end
    "epochs": None,
    "steps": 79,
    "val_fraction": 0.02,
    "evaluate_every": 0.05,
    "test_every_epoch": False,
}


def study() -> StudySpec:
    """VIT, VITL and VITX as published."""
    return StudySpec(QUESTION, recipe("r3_cifar10"), _systems())


def factorial() -> StudySpec:
    """Attention × tokens, R3's three among the six. Softmax among 1,025 tokens is slow."""
    attention = choice(
        "attention", {"softmax": {}, "linear": LINEAR}, says={"linear": "linear attention instead of softmax"}
    )
    tokens = choice(
        "tokens",
        {"patches": {}, "pixels": PIXELS, "convolved pixels": CONVOLVED},
        says={"pixels": "pixels instead of patches", "convolved pixels": "convolved pixels instead of patches"},
    )
    return StudySpec(QUESTION, recipe("r3_cifar10"), crossed.Spec((attention, tokens)))


def short() -> StudySpec:
    """R3's three, one pass over 10,000 images, four seeds: the beginning of learning."""
    return StudySpec(QUESTION, changed(recipe("r3_cifar10"), SHORT), _systems(), num_seeds=4)


def digits() -> StudySpec:
    """R3's three mechanisms in the digits' small ViT: 16 patches or 64 pixels."""
    return StudySpec(QUESTION, recipe("digits_small"), _systems())


def _systems() -> listed.Spec:
    return listed.Spec(
        (
            Level("VIT"),
            Level("VITL", LINEAR | PIXELS, "linear attention among pixels (VITL) instead of softmax among patches"),
            Level(
                "VITX",
                LINEAR | CONVOLVED,
                "linear attention among convolved pixels (VITX) instead of softmax among patches",
            ),
        )
    )
