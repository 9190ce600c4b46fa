"""R0's eight-way ablation: what do the cls token, the final norm and learned positions do, alone and together?

    vitlab study studies/r0_eight_way.py            CIFAR-10, the recipe at its length: 117,200 steps a run, a GPU
    vitlab study studies/r0_eight_way.py:short      the same with 20 passes over the images, for one GPU within minutes

A full factorial of eight cells. Its reference is R0's ViT (cls, final norm, learned positions); its opposite corner,
mean over tokens, no final norm and fixed 2-D sinusoids, is TomViT. The published figures are single runs.
"""

from dataclasses import replace

from vitlab.optim.schedule import cosine
from vitlab.recipes import recipe
from vitlab.study.design import factorial
from vitlab.study.spec import StudySpec, choice

DESIGN = factorial.Spec(
    (
        choice(
            "pooling",
            {"cls": {}, "mean": {"model.cls_token": False, "model.pool": "mean"}},
            says={"mean": "mean pooling instead of cls"},
        ),
        choice(
            "final norm",
            {"yes": {}, "no": {"model.final_norm": "none"}},
            says={"no": "removing the final norm"},
        ),
        choice(
            "positions",
            {"learned": {}, "sincos2d": {"model.pos_embed": "sincos2d"}},
            says={"sincos2d": "fixed 2-D sinusoids instead of learned positions"},
        ),
    )
)


def study() -> StudySpec:
    """CIFAR-10 at the recipe's length, three seeds."""
    return StudySpec("What do cls, final norm and learned positions do?", recipe("r0_cifar10"), DESIGN, num_seeds=3)


def short() -> StudySpec:
    """A fifteenth of the steps: 20 passes."""
    whole = study()
    schedule = cosine.Spec(warmup_steps=781, warmup_lr=1e-5, min_lr=1e-5)
    base = replace(whole.base, steps=7_812, optim=replace(whole.base.optim, schedule=schedule), evaluate_every=5)
    return replace(whole, base=base)
