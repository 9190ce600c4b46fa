"""Norm before each branch, after the addition, or on both sides of the branch: does it matter where the norms are?

The first transformer has its norms after the additions (arXiv 1706.03762), ViT before the branches. Post-norm is known
to need a warm-up or a small learning rate, and pre-norm to train deeper (ACL P19-1176, of translation). So `study`
tunes the learning rate of each on validation images, and `warm_up` crosses the norms with a warm-up.

    vitlab study pre_post_norm             39 runs, 6.6e16 FLOPs; 33 passes
    vitlab study pre_post_norm:warm_up     44 runs, 7.4e16 FLOPs
    vitlab study pre_post_norm:digits      39 runs, 1.9e12 FLOPs; for a laptop

R0's ViT on CIFAR-10, nine layers, with a tenth of R0's steps. The final norm stays in all three, so that they differ in
their blocks alone; after post-norm it only scales and shifts again. No figures were published for ViTs.
"""

from vitlab.recipes import recipe
from vitlab.study.design import factorial, one_at_a_time
from vitlab.study.spec import StudySpec, choice, factor

QUESTION = "Does it matter where the norms of a block are placed?"
NORMS = choice(
    "norms",
    {
        "pre-norm": {"model.block": "pre_norm"},
        "post-norm": {"model.block": "post_norm"},
        "sandwich": {"model.block": "sandwich"},
    },
    says={
        "post-norm": "post-norm instead of pre-norm",
        "sandwich": "norms on both sides of a branch instead of pre-norm",
    },
)


def study() -> StudySpec:
    """Each at the best of four learning rates, by the validation accuracy of two seeds."""
    grid = factor("optim.lr", 3e-4, 1e-3, 2e-3, 4e-3, name="learning rate")
    design = one_at_a_time.Spec((NORMS,))
    return StudySpec(QUESTION, recipe("r0_cifar10_tenth"), design, tune=grid, tune_seeds=2)


def warm_up() -> StudySpec:
    """The norms with a warm-up of a tenth of the steps, and without one."""
    warming = choice("warm-up", {"yes": {}, "no": {"optim.schedule.warmup_steps": 0}}, says={"no": "no warm-up"})
    question = "Which norms need a warm-up?"
    return StudySpec(question, recipe("r0_cifar10_tenth"), factorial.Spec((NORMS, warming)))


def digits() -> StudySpec:
    """The tuned comparison in the digits' small ViT, two layers."""
    grid = factor("optim.lr", 4e-3, 8e-3, 1.6e-2, 3.2e-2, name="learning rate")
    return StudySpec(QUESTION, recipe("digits_small"), one_at_a_time.Spec((NORMS,)), tune=grid, tune_seeds=2)
