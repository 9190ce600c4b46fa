"""Stronger augmentation, or dropout and stochastic depth: which helps, and do they add up?

"How to train your ViT" (arXiv 2106.10270) crosses seven levels of RandAugment and Mixup with a regulariser, dropout and
stochastic depth of 0.1: none, light1 (2 operations of magnitude 0, no Mixup), light2 (2, 10, Mixup 0.2), medium1
(2, 15, 0.2), medium2 (2, 15, 0.5), strong1 (2, 20, 0.5), strong2 (2, 20, 0.8).

    vitlab study augreg             67 runs, 7.0e20 FLOPs; 300 epochs of ImageNet-1k each
    vitlab study augreg:cifar10    100 runs, 1.7e17 FLOPs; 33 passes
    vitlab study augreg:digits     100 runs, 4.9e12 FLOPs; for a laptop

`study` is the paper's recipe for ViT-S/16 on ImageNet-1k and looks for it in a folder `imagenet`. `cifar10` crosses the
same levels in R0's ViT, behind a crop and a flip, in place of R0's own augmentation; `digits` in the digits' small ViT,
behind nothing. In both the Inception crop is left out, which would leave little of a picture, and the loss stays the
softmax one. Augmentation and regulariser take long to pay: 400 steps on digits show what they cost at first.
"""

from vitlab.augment.ops import crop, flip
from vitlab.augment.ops._base import OpSpec
from vitlab.base.spec import plain
from vitlab.recipes import augreg, recipe
from vitlab.study.design import factorial
from vitlab.study.spec import StudySpec, choice

QUESTION = "Does a ViT gain from stronger augmentation, or from dropout and stochastic depth?"
LEVELS = ("light1", "light2", "medium1", "medium2", "strong1", "strong2")
OWN = 2  # of every level's operations, the first ones: Inception crop and flip
REGULARISER = choice(
    "regulariser",
    {"none": {}, "dropout and stochastic depth": augreg.REGULARISER},
    says={"dropout and stochastic depth": "adding dropout and stochastic depth"},
)


def study() -> StudySpec:
    """ImageNet-1k, four seeds of fourteen combinations."""
    return StudySpec(QUESTION, recipe("augreg"), _crossed(*recipe("augreg").augment), num_seeds=4)


def cifar10() -> StudySpec:
    """CIFAR-10 with a tenth of R0's steps."""
    return StudySpec(QUESTION, recipe("r0_cifar10_tenth"), _crossed(crop.Spec(padding=4), flip.Spec()))


def digits() -> StudySpec:
    """Digits: few pictures, but neither mirrored nor cropped."""
    return StudySpec(QUESTION, recipe("digits_small"), _crossed())


def _crossed(*before: OpSpec) -> factorial.Spec:
    """AugReg's levels behind some operations, with the regulariser and without it."""
    levels = {"none": {"augment": plain(before)}}
    for name in LEVELS:
        levels[name] = {"augment": plain(before) + augreg.VARIANTS[name]["augment"][OWN:]}
    says = {name: f"adding AugReg's {name}" for name in LEVELS}
    return factorial.Spec((choice("augmentation", levels, says), REGULARISER))
