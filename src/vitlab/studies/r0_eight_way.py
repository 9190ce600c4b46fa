"""Cls token, final norm, learned positions: what does each of the three do in R0's ViT?

R0 ("What do the components of a transformer do in a vision transformer?") drops all three on its way from ViT to its
TomViT, one training of each combination; here every combination has several seeds, which main effects and interactions
follow from. Without cls the tokens are averaged, without learned positions there are fixed 2-D sinusoids.

    vitlab study r0_eight_way              58 runs, 9.7e17 FLOPs; 100 "epochs"
    vitlab study r0_eight_way:cifar100     58 runs, 9.7e17 FLOPs; the same
    vitlab study r0_eight_way:short        39 runs, 4.4e16 FLOPs; 20 passes
    vitlab study r0_eight_way:digits       58 runs, 2.8e12 FLOPs; for a laptop

Published on CIFAR-100, in the order cls, norm, positions, t for with: ttt 72.78, ttf 72.61, tft 73.47, tff 73.37,
ftt 74.46, ftf 75.64, fft 76.10, fff 75.39. On CIFAR-10 only ttt (ViT, 93.58 to 93.79) and fff (TomViT, 95.24). All are
the best test epoch of single runs; one standard error of 93.6 % on 10,000 images is 0.25 points. Here the last step
counts.
"""

from vitlab.recipes import changed, recipe
from vitlab.study.design import factorial
from vitlab.study.spec import StudySpec, choice

QUESTION = "What do the cls token, the final norm and learned positions do in a ViT?"


def study() -> StudySpec:
    """CIFAR-10 with R0's recipe: 117,200 steps, 300 passes."""
    return StudySpec(QUESTION, recipe("r0_cifar10"), _eight_ways())


def cifar100() -> StudySpec:
    """CIFAR-100 with R0's recipe."""
    return StudySpec(QUESTION, recipe("r0_cifar100"), _eight_ways())


def short() -> StudySpec:
    """CIFAR-10, 20 passes and four seeds: minutes on one GPU."""
    settings = {"steps": 7_810, "optim.schedule.warmup_steps": 781, "evaluate_every": 5.0}
    return StudySpec(QUESTION, changed(recipe("r0_cifar10"), settings), _eight_ways(), num_seeds=4)


def digits() -> StudySpec:
    """The same eight in the digits' small ViT."""
    return StudySpec(QUESTION, recipe("digits_small"), _eight_ways())


def _eight_ways() -> factorial.Spec:
    cls = choice(
        "cls token",
        {
            "yes": {"model.cls_token": True, "model.pool": "cls"},
            "no": {"model.cls_token": False, "model.pool": "mean"},
        },
        says={"no": "mean pooling instead of a cls token"},
    )
    norm = choice(
        "final norm",
        {"yes": {"model.final_norm": "before_pool"}, "no": {"model.final_norm": "none"}},
        says={"no": "no final norm"},
    )
    positions = choice(
        "positions",
        {"learned": {"model.pos_embed": "learned"}, "sinusoidal": {"model.pos_embed": "sincos2d"}},
        says={"sinusoidal": "2-D sinusoids instead of learned positions"},
    )
    return factorial.Spec((cls, norm, positions))
