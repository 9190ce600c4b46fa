"""R2's official fine-tuning (arXiv 2010.11929, table 4): a model of ImageNet-21k at 384 × 384, B/16 on CIFAR-10.

    vitlab train r2_official --init CHECKPOINT --out runs/r2                         10,000 steps, 5.1 million images
    vitlab train r2_official:l16_cifar100 --init CHECKPOINT --out runs/r2_l16        the same for L/16 on CIFAR-100
    vitlab train r2_official:b16_imagenet --init CHECKPOINT --data PATH --out runs/r2_imagenet       20,000 steps

Batches of 512, SGD with momentum, no weight decay, gradients cut at a norm of 1, 500 steps of warm-up, a cosine to 0.
CHECKPOINT is what Google publishes, `ViT-B_16.npz` of ImageNet-21k, or a run: positions are resized to 384, and the
head begins at zero. The MLP has JAX's GELU, the tanh approximation that these weights were trained with.
Without --init this trains from scratch, another experiment. `_dropout` behind a variant's name has dropout of .1, as
r2_official:b16_cifar10_dropout has. Published, without dropout / with .1:

    CIFAR-10     R50+B/16 98.72/98.94  B/16 99.02/98.76  B/32 98.88/98.75  L/16 99.13/99.14  L/32 99.06/99.09
    CIFAR-100    R50+B/16 90.88/92.30  B/16 92.06/91.92  B/32 92.31/92.05  L/16 92.91/93.22  L/32 93.29/93.34
    ImageNet-1k  R50+B/16 83.72/85.08  B/16 84.53/84.12  B/32 81.66/81.31  L/16 84.47/85.05  L/32 81.89/81.13

For ImageNet-1k, PATH holds train/<class>/… and val/<class>/…, or parquet shards. The Inception crop is taken of the
file's own pixels; for evaluation a picture is squashed to 512 × 512 when it is decoded, then resized.
"""

from dataclasses import replace
from typing import Any

from vitlab.augment.ops import flip, original_crop, resize
from vitlab.data.sets import cifar10, imagenet1k
from vitlab.models.spec import preset
from vitlab.nn.init import jax
from vitlab.nn.mlp import gelu
from vitlab.optim.optimizer import sgd
from vitlab.optim.schedule import cosine
from vitlab.train.spec import OptimSpec, RunSpec

OF_JAX = {"init": "jax", "mlp": {"name": "gelu", "approximate": "tanh"}}  # what the official code builds
HALF = (0.5, 0.5, 0.5)  # mean and deviation: pixels between -1 and 1


def on(model: str, data: str) -> dict[str, Any]:
    """Another model on a set of CIFAR's; .03 is the rate of all but B/16 on CIFAR-10."""
    return {
        "model": {"name": model, **OF_JAX},
        "data": data,
        "data.mean": HALF,
        "data.std": HALF,
        "optim.lr": 0.03,
    }


def on_imagenet(model: str) -> dict[str, Any]:
    """Another model on ImageNet-1k, for twice as many steps."""
    imagenet = imagenet1k.Spec(img_size=(512, 512), fit="squash", mean=HALF, std=HALF)
    return {"model": {"name": model, **OF_JAX}, "data": imagenet, "optim.lr": 0.03, "steps": 20_000}


DROPOUT = {f"model.{part}_dropout": 0.1 for part in ("embed", "mixer", "mlp")}
VARIANTS = {
    "b16_cifar100": on("B/16@384", "cifar100"),
    "b16_imagenet": on_imagenet("B/16@384"),
    "b32_cifar10": on("B/32@384", "cifar10"),
    "b32_cifar100": on("B/32@384", "cifar100"),
    "b32_imagenet": on_imagenet("B/32@384"),
    "l16_cifar10": on("L/16@384", "cifar10"),
    "l16_cifar100": on("L/16@384", "cifar100"),
    "l16_imagenet": on_imagenet("L/16@384"),
    "l32_cifar10": on("L/32@384", "cifar10"),
    "l32_cifar100": on("L/32@384", "cifar100"),
    "l32_imagenet": on_imagenet("L/32@384"),
    "r50_b16_cifar10": on("R50+B/16@384", "cifar10"),
    "r50_b16_cifar100": on("R50+B/16@384", "cifar100"),
    "r50_b16_imagenet": on_imagenet("R50+B/16@384"),
    "r50_l32_cifar10": on("R50+L/32@384", "cifar10"),
    "r50_l32_cifar100": on("R50+L/32@384", "cifar100"),
    "b16_cifar10_dropout": DROPOUT,
    "b16_cifar100_dropout": on("B/16@384", "cifar100") | DROPOUT,
    "b16_imagenet_dropout": on_imagenet("B/16@384") | DROPOUT,
    "b32_cifar10_dropout": on("B/32@384", "cifar10") | DROPOUT,
    "b32_cifar100_dropout": on("B/32@384", "cifar100") | DROPOUT,
    "b32_imagenet_dropout": on_imagenet("B/32@384") | DROPOUT,
    "l16_cifar10_dropout": on("L/16@384", "cifar10") | DROPOUT,
    "l16_cifar100_dropout": on("L/16@384", "cifar100") | DROPOUT,
    "l16_imagenet_dropout": on_imagenet("L/16@384") | DROPOUT,
    "l32_cifar10_dropout": on("L/32@384", "cifar10") | DROPOUT,
    "l32_cifar100_dropout": on("L/32@384", "cifar100") | DROPOUT,
    "l32_imagenet_dropout": on_imagenet("L/32@384") | DROPOUT,
    "r50_b16_cifar10_dropout": on("R50+B/16@384", "cifar10") | DROPOUT,
    "r50_b16_cifar100_dropout": on("R50+B/16@384", "cifar100") | DROPOUT,
    "r50_b16_imagenet_dropout": on_imagenet("R50+B/16@384") | DROPOUT,
    "r50_l32_cifar10_dropout": on("R50+L/32@384", "cifar10") | DROPOUT,
    "r50_l32_cifar100_dropout": on("R50+L/32@384", "cifar100") | DROPOUT,
}


def spec() -> RunSpec:
    """All training images are trained on, and a test picture is resized and nothing else."""
    return RunSpec(
        model=replace(preset("B/16@384:10"), init=jax.Spec(), mlp=gelu.Spec(approximate="tanh")),
        data=cifar10.Spec(mean=HALF, std=HALF),
        augment=(original_crop.Spec(size=(384, 384), scale=(0.05, 1.0)), flip.Spec()),
        preprocess=(resize.Spec(size=(384, 384)),),
        batch_size=512,
        steps=10_000,
        optim=OptimSpec(
            lr=0.01,
            weight_decay=0.0,
            clip_norm=1.0,
            optimizer=sgd.Spec(momentum=0.9),
            schedule=cosine.Spec(warmup_steps=500),
        ),
        val_fraction=0.0,
    )
