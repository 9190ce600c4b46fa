"""R2's own fine-tuning, its recipe (a): small batches, a slow backbone and a rate that falls in two steps.

    vitlab train r2_multistep --init CHECKPOINT --out runs/r2_multistep              78,125 steps, 2.5 million images
    vitlab train r2_multistep:l32_cifar100 --init CHECKPOINT --out runs/r2_l32       the same for L/32 on CIFAR-100
    vitlab train r2_multistep --init CHECKPOINT --seeds 3 --out runs/r2_three        three repeats, as published

50 passes in batches of 32; the head learns at 3e-4 and everything else at 3e-5, a tenth of it from epoch 17 and again
from 33. Its own figures are not known; r2_official has those to compare with. CHECKPOINT is what Google publishes of
ImageNet-21k (`vitlab convert` reads it), at any size; without --init this trains from scratch, another experiment. The
`384_` variants are the same at 384 × 384, the other size that the study's models have. Inferred: which of the two sizes
a training had, pixels between -1 and 1, weight decay on all parameters (PyTorch's way), and which dropouts the .1
means.
"""

from typing import Any

from vitlab.augment.ops import crop, flip, resize
from vitlab.augment.ops._base import OpSpec
from vitlab.base.spec import with_settings
from vitlab.data.sets import cifar10
from vitlab.models.spec import preset
from vitlab.optim.optimizer import sgd
from vitlab.optim.schedule import multistep
from vitlab.train.spec import OptimSpec, RunSpec

HALF = (0.5, 0.5, 0.5)  # mean and deviation: pixels between -1 and 1
DROPOUT = {"embed_dropout": 0.1, "mixer_dropout": 0.1, "mlp_dropout": 0.1}


def on(model: str, data: str) -> dict[str, Any]:
    """Another model, on one of the two sets."""
    return {"model": {"name": model, **DROPOUT}, "data": data, "data.mean": HALF, "data.std": HALF}


def at_384(model: str, data: str) -> dict[str, Any]:
    """The same at 384 × 384."""
    augment, preprocess = pipelines(384)
    return {**on(f"{model}@384", data), "augment": augment, "preprocess": preprocess}


def pipelines(size: int) -> tuple[tuple[OpSpec, ...], tuple[OpSpec, ...]]:
    """What pictures go through in training, and what in evaluation."""
    resized = resize.Spec(size=(size, size))
    return (resized, crop.Spec(padding=4, fill="reflect"), flip.Spec()), (resized,)


VARIANTS = {
    "384_b16_cifar10": at_384("B/16", "cifar10"),
    "384_b16_cifar100": at_384("B/16", "cifar100"),
    "384_b32_cifar10": at_384("B/32", "cifar10"),
    "384_b32_cifar100": at_384("B/32", "cifar100"),
    "384_l16_cifar10": at_384("L/16", "cifar10"),
    "384_l16_cifar100": at_384("L/16", "cifar100"),
    "384_l32_cifar10": at_384("L/32", "cifar10"),
    "384_l32_cifar100": at_384("L/32", "cifar100"),
    "384_r50_b16_cifar10": at_384("R50+B/16", "cifar10"),
    "384_r50_b16_cifar100": at_384("R50+B/16", "cifar100"),
    "384_r50_l32_cifar10": at_384("R50+L/32", "cifar10"),
    "384_r50_l32_cifar100": at_384("R50+L/32", "cifar100"),
    "b16_cifar100": on("B/16", "cifar100"),
    "b32_cifar10": on("B/32", "cifar10"),
    "b32_cifar100": on("B/32", "cifar100"),
    "l16_cifar10": on("L/16", "cifar10"),
    "l16_cifar100": on("L/16", "cifar100"),
    "l32_cifar10": on("L/32", "cifar10"),
    "l32_cifar100": on("L/32", "cifar100"),
    "r50_b16_cifar10": on("R50+B/16", "cifar10"),
    "r50_b16_cifar100": on("R50+B/16", "cifar100"),
    "r50_l32_cifar10": on("R50+L/32", "cifar10"),
    "r50_l32_cifar100": on("R50+L/32", "cifar100"),
    "r26_s32_cifar10": on("R26+S/32", "cifar10"),
    "r26_s32_cifar100": on("R26+S/32", "cifar100"),
    "h14_cifar10": on("H/14", "cifar10"),
    "h14_cifar100": on("H/14", "cifar100"),
}


def spec() -> RunSpec:
    """All training images are trained on; the last step counts."""
    augment, preprocess = pipelines(224)
    return RunSpec(
        model=with_settings(preset("B/16:10"), DROPOUT),
        data=cifar10.Spec(mean=HALF, std=HALF),
        augment=augment,
        preprocess=preprocess,
        batch_size=32,
        epochs=50,
        optim=OptimSpec(
            lr=3e-4,
            backbone_lr=3e-5,
            weight_decay=5e-4,
            decay_on="all",
            optimizer=sgd.Spec(momentum=0.95),
            schedule=multistep.Spec(milestones=(17, 33), factor=0.1),
        ),
        val_fraction=0.0,
    )
