"""CIFAR-10 on a laptop's CPU: five passes over the training images, 250,000 in all.

    vitlab train cifar10_short --out runs/cifar10_short

A convolutional stem, sinusoidal positions and mean pooling make a small ViT learn fast from few images; flip and crop
are all the augmentation that so short a run can use. Scores and times: docs/lab-log.md.
"""

from vitlab.augment.ops import crop, flip
from vitlab.data.sets import cifar10
from vitlab.models.spec import ViTSpec
from vitlab.nn.init import torch_default
from vitlab.nn.patch_embed import conv_stem
from vitlab.nn.pool import mean
from vitlab.nn.pos_embed import sincos2d
from vitlab.optim.schedule import cosine
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec


def spec() -> RunSpec:
    """All 50,000 images are trained on, and the last step is what counts: nothing is selected."""
    return RunSpec(
        model=ViTSpec(
            img_size=(32, 32),
            patch_size=(4, 4),
            num_classes=10,
            embed_dim=128,
            depth=4,
            num_heads=4,
            mlp_ratio=2.0,
            cls_token=False,
            pool=mean.Spec(),
            patch_embed=conv_stem.Spec(),
            pos_embed=sincos2d.Spec(),
            init=torch_default.Spec(),
        ),
        data=cifar10.Spec(),
        augment=(crop.Spec(padding=4), flip.Spec()),
        task=classify.Spec(label_smoothing=0.1),
        batch_size=64,
        epochs=5,
        optim=OptimSpec(lr=1e-3, weight_decay=0.05, clip_norm=1.0, schedule=cosine.Spec(warmup_epochs=0.5)),
        val_fraction=0.0,
    )
