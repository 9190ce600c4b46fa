"""R1's setting 2: ViT-B/16 at 384 × 384, pre-trained on ImageNet-1k and fine-tuned on CIFAR-100.

    vitlab train r1_finetune --init CHECKPOINT --out runs/r1_finetune               as it should have been: 2,930 steps
    vitlab train r1_finetune:published --init CHECKPOINT --out runs/r1_published2   as published: 2,910 steps

1.5 million images seen: 30 passes in batches of 512 (8 × 64 there). CHECKPOINT is a ViT-B/16 of ImageNet-1k at any
size, timm's `vit_base_patch16_384` say; without --init this trains from scratch, another experiment. `published` keeps
three bugs: no normalisation of the input, evaluations in training mode, and 97 whole batches of every epoch instead of
97.7.
Published: train 86.79, test 86.54 / top-5 98.17 (86,167,396 parameters; the ViT paper's own 87.13).
The augmentations are in the published order: a picture is enlarged first, then turned and cropped. Not told, and
inferred: a constant rate, a model without dropout (so that training mode changes nothing here), and the mean and
deviation of .5 that the weights were trained with. No score of ours is recorded yet.
"""

from vitlab.augment.ops import flip, resize, resized_crop, rotate
from vitlab.data.sets import cifar100
from vitlab.models.spec import preset
from vitlab.optim.optimizer import sgd
from vitlab.optim.schedule import constant
from vitlab.train.spec import OptimSpec, RunSpec

VARIANTS = {
    "published": {
        "data.mean": [0.0, 0.0, 0.0],
        "data.std": [1.0, 1.0, 1.0],
        "evaluate_with_dropout": True,
        "epochs": None,
        "steps": 30 * 97,
        "test_every_epoch": True,
    }
}


def spec() -> RunSpec:
    """All 50,000 images are trained on; the last step counts."""
    return RunSpec(
        model=preset("vit_base_patch16_384:100"),
        data=cifar100.Spec(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        augment=(
            resize.Spec(size=(384, 384)),
            flip.Spec(),
            rotate.Spec(degrees=0.02),
            resized_crop.Spec(size=(384, 384), scale=(0.8, 1.0), ratio=(1.0, 1.0)),
        ),
        preprocess=(resize.Spec(size=(384, 384)),),
        batch_size=512,
        epochs=30,
        optim=OptimSpec(lr=1e-3, weight_decay=0.0, optimizer=sgd.Spec(momentum=0.0), schedule=constant.Spec()),
        val_fraction=0.0,
    )
