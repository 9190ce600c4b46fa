"""Do learned positions and a cls token help a small ViT on CIFAR-10? A two-by-two of both, in one model of 16 tokens.

    vitlab study positions_and_pooling            29 runs, 9.0e13 FLOPs; about an hour on one CPU core
    vitlab study positions_and_pooling:digits     29 runs, 1.4e12 FLOPs; for a laptop, in a minute

Patches of 8 × 8 pixels, D 64, depth 4: small enough for a CPU, and so far below what CIFAR-10 allows. Its runs pass
over the images four and a half times, so they show early learning.
"""

from vitlab.augment.ops import crop, flip
from vitlab.data.sets import cifar10
from vitlab.models.spec import ViTSpec
from vitlab.nn.init import torch_default
from vitlab.optim.schedule import cosine
from vitlab.recipes import recipe
from vitlab.study.design import factorial
from vitlab.study.spec import StudySpec, choice
from vitlab.train.spec import OptimSpec, RunSpec

DESIGN = factorial.Spec(
    (
        choice(
            "positions",
            {"learned": {}, "2-D sinusoids": {"model.pos_embed": "sincos2d"}},
            says={"2-D sinusoids": "2-D sinusoids instead of learned positions"},
        ),
        choice(
            "pooling",
            {"cls": {}, "mean": {"model.cls_token": False, "model.pool": "mean"}},
            says={"mean": "mean pooling instead of cls"},
        ),
    )
)


def base() -> RunSpec:
    """The reference: cls and learned positions."""
    return RunSpec(
        model=ViTSpec(
            img_size=(32, 32),
            patch_size=(8, 8),
            num_classes=10,
            embed_dim=64,
            depth=4,
            num_heads=4,
            mlp_ratio=2.0,
            init=torch_default.Spec(),
        ),
        data=cifar10.Spec(),
        augment=(crop.Spec(padding=4), flip.Spec()),
        batch_size=128,
        steps=1_600,
        optim=OptimSpec(lr=2e-3, weight_decay=0.05, clip_norm=1.0, schedule=cosine.Spec(warmup_steps=160)),
        evaluate_every=0.6,
    )


def study() -> StudySpec:
    """CIFAR-10."""
    return StudySpec("Do learned positions and a cls token help a small ViT on CIFAR-10?", base(), DESIGN)


def digits() -> StudySpec:
    """The digits, in the smallest recipe."""
    return StudySpec("Do learned positions and a cls token help on digits?", recipe("digits_small"), DESIGN)
