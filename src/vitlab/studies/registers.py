"""Do registers help a small ViT, and how many?

Registers are learned tokens beside cls that no head reads. They were proposed where large ViTs, trained on much data,
use patches of the background to keep global information in (arXiv 2309.16588; 4 registers suffice there). A small ViT
on small pictures may have no such need; it has a little more compute with them.

    vitlab study registers            36 runs, 6.3e16 FLOPs; 33 passes
    vitlab study registers:digits     36 runs, 2.1e12 FLOPs; for a laptop

R0's ViT on CIFAR-10 with a tenth of R0's steps. No figures were published for models of this size.
"""

from vitlab.recipes import recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import StudySpec, choice

QUESTION = "Do registers help, and how many?"
REGISTERS = choice(
    "registers",
    {str(count): {"model.num_registers": count} for count in (0, 1, 2, 4, 8)},
    says={"1": "adding 1 register"} | {str(count): f"adding {count} registers" for count in (2, 4, 8)},
)


def study() -> StudySpec:
    """CIFAR-10: 64 patches and 0 to 8 registers."""
    return StudySpec(QUESTION, recipe("r0_cifar10_tenth"), one_at_a_time.Spec((REGISTERS,)))


def digits() -> StudySpec:
    """The digits' small ViT: 16 patches and 0 to 8 registers."""
    return StudySpec(QUESTION, recipe("digits_small"), one_at_a_time.Spec((REGISTERS,)))
