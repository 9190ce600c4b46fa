"""A cls token or the mean of the patches? Each at its own learning rate.

The ViT paper found mean pooling far worse than cls until it got a learning rate of its own (arXiv 2010.11929, appendix
D.3). So `study` tunes the rate of both on validation images, and `rates` shows what a shared rate would have said.

    vitlab study cls_vs_mean            24 runs, 4.0e16 FLOPs; 33 passes
    vitlab study cls_vs_mean:rates      29 runs, 4.9e16 FLOPs
    vitlab study cls_vs_mean:digits     24 runs, 1.1e12 FLOPs; for a laptop

Published in a figure, 5-shot accuracy on ImageNet, about: cls at 8e-4 56.1, mean at 8e-4 50.4, mean at 3e-4 55.7. Here:
R0's ViT on CIFAR-10 with a tenth of R0's steps.
"""

from vitlab.recipes import recipe
from vitlab.study.design import factorial, one_at_a_time
from vitlab.study.spec import StudySpec, choice, factor

QUESTION = "Is mean pooling worse than a cls token, each at its own learning rate?"
POOLING = choice(
    "pooling",
    {"cls": {"model.cls_token": True, "model.pool": "cls"}, "mean": {"model.cls_token": False, "model.pool": "mean"}},
    says={"mean": "mean pooling instead of cls"},
)


def study() -> StudySpec:
    """The learning rate of the best validation accuracy of two seeds, of four."""
    grid = factor("optim.lr", 1e-4, 3e-4, 8e-4, 2e-3, name="learning rate")
    design = one_at_a_time.Spec((POOLING,))
    return StudySpec(QUESTION, recipe("r0_cifar10_tenth"), design, tune=grid, tune_seeds=2)


def rates() -> StudySpec:
    """The paper's two rates crossed with the pooling: an interaction says that one rate for both is unfair."""
    rate = factor("optim.lr", 8e-4, 3e-4, name="learning rate")
    question = "Does the learning rate decide whether mean pooling is worse than a cls token?"
    return StudySpec(question, recipe("r0_cifar10_tenth"), factorial.Spec((POOLING, rate)))


def digits() -> StudySpec:
    """The tuned comparison in the digits' small ViT."""
    grid = factor("optim.lr", 4e-3, 8e-3, 1.6e-2, 3.2e-2, name="learning rate")
    design = one_at_a_time.Spec((POOLING,))
    return StudySpec(QUESTION, recipe("digits_small"), design, tune=grid, tune_seeds=2)
