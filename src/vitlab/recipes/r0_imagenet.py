"""R0's row on ImageNet-1k: ViT-B/16 without biases on q, k and v.

    vitlab train r0_imagenet --data PATH --out runs/r0_imagenet       4,654,240 steps, 1.19 billion images seen

PATH holds train/<class>/… and val/<class>/…, or parquet shards; `hub:ORG/NAME` works too. 310 epochs, and every image
three times in each (repeated augmentation). Published: 77.31 (86,540,008 parameters), the best test epoch of one run.
Not told there: label smoothing is taken from the CIFAR recipe (inferred), and that mixing is left out (inferred).
"""

from vitlab.augment.ops import auto_augment, center_crop, crop, erase, flip
from vitlab.data.sets import imagenet1k
from vitlab.models.spec import preset
from vitlab.optim.schedule import cosine
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec


def spec() -> RunSpec:
    """Pictures are decoded to 256 × 256 (shorter side, centre); a window of 224 is cut out of them."""
    return RunSpec(
        model=preset("r0_vit_base"),
        data=imagenet1k.Spec(img_size=(256, 256)),
        augment=(
            crop.Spec(padding=4, size=(224, 224)),
            flip.Spec(),
            auto_augment.Spec(policy="imagenet", fill=128, rotate_sign=False),
            erase.Spec(value="mean_raw"),
        ),
        preprocess=(center_crop.Spec(size=(224, 224)),),
        task=classify.Spec(label_smoothing=0.1),
        batch_size=256,
        repeats=3,
        epochs=310,
        optim=OptimSpec(
            lr=1e-3,
            weight_decay=0.05,
            decay_on="all",
            schedule=cosine.Spec(warmup_epochs=10, warmup_lr=1e-5, min_lr=1e-5),
        ),
        val_fraction=0.0,
    )
