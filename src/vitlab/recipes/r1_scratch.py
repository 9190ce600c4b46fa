"""R1's setting 1: a ViT-Base on CIFAR-100 from scratch, pictures enlarged to 72 × 72.

    vitlab train r1_scratch --out runs/r1_scratch                     as it should have been: 19,532 steps
    vitlab train r1_scratch:published --out runs/r1_published         as published: 19,500 steps

`published` differs in what `VARIANTS` says, three bugs that are kept: the input was not normalised, dropout stayed on
in evaluations, and of every epoch 195 whole batches were used and the rest thrown away (here 195 steps an epoch too,
of the continuous stream, so that it is never the same images that are missed). Published: train 82.83, test 23.93 /
top-5 49.68 (it overfits; best test epoch 25.63 at 40), 85,301,092 parameters. The augmentations are in the published
order: a picture is enlarged first, then turned and cropped. Inferred: layer norm's eps, 1e-6. No score of ours is
recorded yet.
"""

from vitlab.augment.ops import flip, resize, resized_crop, rotate
from vitlab.data.sets import cifar100
from vitlab.models.spec import preset
from vitlab.optim.optimizer import adam
from vitlab.optim.schedule import constant
from vitlab.train.spec import OptimSpec, RunSpec

VARIANTS = {
    "published": {
        "data.mean": [0.0, 0.0, 0.0],
        "data.std": [1.0, 1.0, 1.0],
        "evaluate_with_dropout": True,
        "epochs": None,
        "steps": 100 * 195,
        "test_every_epoch": True,
    }
}


def spec() -> RunSpec:
    """All 50,000 images are trained on, in batches of 256 (16 × 16 there), 100 passes."""
    return RunSpec(
        model=preset("r1_vit"),
        data=cifar100.Spec(),
        augment=(
            resize.Spec(size=(72, 72)),
            flip.Spec(),
            rotate.Spec(degrees=0.02),
            resized_crop.Spec(size=(72, 72), scale=(0.8, 1.0), ratio=(1.0, 1.0)),
        ),
        preprocess=(resize.Spec(size=(72, 72)),),
        batch_size=256,
        epochs=100,
        optim=OptimSpec(lr=1e-3, weight_decay=0.0, optimizer=adam.Spec(), schedule=constant.Spec()),
        val_fraction=0.0,
    )
