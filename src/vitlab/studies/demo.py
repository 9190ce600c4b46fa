"""What do the main parts of a small ViT do? The study of `vitlab demo`, on digits.

Each part is changed alone, all else equal; a third of the training images, as a measure of how large the others are.

    vitlab study demo     65 runs, 2.9e12 FLOPs; for a laptop

Runs of 400 steps show early learning on small images, which is not what a part does in a large model after a long
training.
"""

from vitlab.recipes import recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import StudySpec, choice


def study() -> StudySpec:
    """Eight parts and habits, chosen with other seeds (docs/lab-log.md): some do much, some little."""
    parts = (
        choice(
            "position embedding",
            {"learned": {}, "none": {"model.pos_embed": "none"}},
            says={"none": "removing the position embedding"},
        ),
        choice(
            "mixer",
            {"attention": {}, "average pooling": {"model.mixer": "pooling"}},
            says={"average pooling": "average pooling instead of attention"},
        ),
        choice(
            "attention heads",
            {"4": {}, "1": {"model.num_heads": 1}},
            says={"1": "1 attention head instead of 4"},
        ),
        choice(
            "patch size",
            {"2 × 2": {}, "4 × 4": {"model.patch_size": (4, 4)}},
            says={"4 × 4": "patch size 4 × 4 instead of 2 × 2"},
        ),
        choice(
            "norm placement",
            {"pre-norm": {}, "post-norm": {"model.block": "post_norm"}},
            says={"post-norm": "post-norm instead of pre-norm"},
        ),
        choice(
            "pooling",
            {"cls": {}, "mean": {"model.pool": "mean", "model.cls_token": False}},
            says={"mean": "mean pooling instead of cls"},
        ),
        choice(
            "registers",
            {"0": {}, "4": {"model.num_registers": 4}},
            says={"4": "adding 4 registers"},
        ),
        choice(
            "training images",
            {"all": {}, "a third": {"data.train_fraction": 1 / 3}},
            says={"a third": "training on a third of the images"},
        ),
    )
    return StudySpec(
        question="What do the parts of a small vision transformer do for it on digits?",
        base=recipe("digits_small"),
        design=one_at_a_time.Spec(parts),
    )
