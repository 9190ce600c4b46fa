"""Shifted patches (SPT) and locality self-attention (LSA): what do SL-ViT's two parts do on small data?

SL-ViT (arXiv 2112.13492) is a ViT for small data sets: a patch sees its neighbours too (SPT), and a token does not
attend to itself, with a learned temperature (LSA). R0 trains each and both on CIFAR-10 and -100; this crosses them in
R0's ViT with the Xavier initialisation of those rows.

    vitlab study spt_lsa              29 runs, 4.9e17 FLOPs; 300 passes
    vitlab study spt_lsa:cifar100     29 runs, 4.9e17 FLOPs; 300 passes
    vitlab study spt_lsa:digits       29 runs, 1.4e12 FLOPs; for a laptop

Parameters on CIFAR-10: 2,692,426 with neither, SPT 2,729,770, LSA 2,692,534, both 2,729,878.
"""

from vitlab.recipes import recipe
from vitlab.study.design import factorial
from vitlab.study.spec import StudySpec, choice

QUESTION = "What do shifted patches and locality self-attention do on small data?"
PATCHES = choice(
    "patches",
    {"plain": {"model.patch_embed": "linear"}, "shifted": {"model.patch_embed": "spt"}},
    says={"shifted": "shifted patches (SPT)"},
)
ATTENTION = choice(
    "attention",
    {"softmax": {"model.attention": "softmax"}, "LSA": {"model.attention": "lsa"}},
    says={"LSA": "locality self-attention (LSA)"},
)


def study() -> StudySpec:
    """CIFAR-10 with R0's recipe: 117,200 steps."""
    return StudySpec(QUESTION, recipe("r0_cifar10:sl"), factorial.Spec((PATCHES, ATTENTION)))


def cifar100() -> StudySpec:
    """CIFAR-100 with R0's recipe."""
    return StudySpec(QUESTION, recipe("r0_cifar100:sl"), factorial.Spec((PATCHES, ATTENTION)))


def digits() -> StudySpec:
    """The digits' small ViT: 1,293 pictures to train on."""
    return StudySpec(QUESTION, recipe("digits_small"), factorial.Spec((PATCHES, ATTENTION)))
