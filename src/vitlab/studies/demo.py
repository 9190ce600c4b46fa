"""What do the main parts of a small ViT do? The study of `vitlab demo`, on digits.

Each part is changed alone, all else equal: positions, pooling, where the norms stand, attention, registers.

    vitlab study demo     58 runs, 2.9e12 FLOPs; for a laptop

Runs of 400 steps show early learning on small pictures, which is not what a part does in a large model after a long
training.
"""

from vitlab.recipes import recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import StudySpec, choice


def study() -> StudySpec:
    """Positions, pooling, norms, attention and registers, one at a time."""
    positions = choice(
        "position embedding",
        {
            "learned": {},
            "none": {"model.pos_embed": "none"},
            "sincos2d": {"model.pos_embed": "sincos2d"},
            "rope2d": {"model.pos_embed": "rope2d"},
        },
        says={
            "none": "removing the position embedding",
            "sincos2d": "2-D sinusoids instead of learned positions",
            "rope2d": "rotary positions (2-D) instead of learned ones",
        },
    )
    pooling = choice(
        "pooling",
        {"cls": {}, "mean": {"model.pool": "mean", "model.cls_token": False}},
        says={"mean": "mean pooling instead of cls"},
    )
    norms = choice(
        "norms",
        {"pre-norm": {}, "post-norm": {"model.block": "post_norm"}},
        says={"post-norm": "post-norm instead of pre-norm"},
    )
    attention = choice(
        "attention",
        {"softmax": {}, "linear": {"model.attention": "linear"}},
        says={"linear": "linear attention instead of softmax"},
    )
    registers = choice("registers", {"0": {}, "4": {"model.num_registers": 4}}, says={"4": "adding 4 registers"})
    return StudySpec(
        question="What do the parts of a small vision transformer do for it on digits?",
        base=recipe("digits_small"),
        design=one_at_a_time.Spec((positions, pooling, norms, attention, registers)),
    )
