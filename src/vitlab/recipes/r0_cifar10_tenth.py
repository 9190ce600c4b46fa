"""R0's recipe on CIFAR-10 at a tenth of its length, with images kept for validation: the base of studies on CIFAR-10.

    vitlab train r0_cifar10_tenth --out runs/r0_tenth     11,720 steps, 1.5 million images seen

R0's ViT (32 × 32 pixels in patches of 4, D 192, depth 9; cls and learned positions), its optimiser, its augmentation.
A tenth of the training images is for validation, so that a study can tune on them; the rest is passed over 33 times,
where R0 passes 300 times over all. Scores of so short a run stay below the published ones.
"""

from dataclasses import replace

from vitlab.optim.schedule import cosine
from vitlab.recipes import r0_cifar10
from vitlab.train.spec import RunSpec


def spec() -> RunSpec:
    """R0's recipe with a tenth of its steps and of its warm-up."""
    whole = r0_cifar10.spec()
    schedule = cosine.Spec(warmup_steps=1_172, warmup_lr=1e-5, min_lr=1e-5)
    return replace(whole, steps=11_720, optim=replace(whole.optim, schedule=schedule), val_fraction=0.1)
