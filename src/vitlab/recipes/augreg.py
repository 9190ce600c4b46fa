"""AugReg's levels of augmentation and regularisation on ImageNet-1k (arXiv 2106.10270), for ViT-S/16.

    vitlab train augreg --set data.path=PATH --out runs/augreg
    vitlab train augreg:medium1_reg --set data.path=PATH --out runs/augreg_medium1
    vitlab train augreg:light1 --set data.path=PATH --set model.embed_dim=768 --set model.num_heads=12 --out runs/b16

Levels: `none` (the recipe itself), `light1`, `light2`, `medium1`, `medium2`, `strong1`, `strong2`: RandAugment's layers
and magnitude, on Google's scale of 10 and with its operations, and Mixup's α; with `_reg` dropout and stochastic depth
of 0.1 beside them. 300 epochs of batches of 4096, as the paper trains on ImageNet-1k; sigmoid cross-entropy with a head
bias that begins at -6.9. PATH is ImageNet-1k as train/<class>/… and val/<class>/…. `--data` takes other sets, parquet
shards and `hub:ORG/NAME` too; the 10,000 steps of warm-up become their share of the epochs then.
"""

from typing import Any

from vitlab.augment.ops import center_crop, flip, original_crop
from vitlab.data.sets import imagenet1k
from vitlab.models.spec import ViTSpec
from vitlab.nn.init import trunc_normal
from vitlab.optim.schedule import cosine
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec

REGULARISER = {
    "model.embed_dropout": 0.1,
    "model.mixer_dropout": 0.1,
    "model.mlp_dropout": 0.1,
    "model.drop_path": 0.1,
}


def level(layers: int, magnitude: int, mixup: float) -> dict[str, Any]:
    """The settings of a level: RandAugment's layers and magnitude of 10, and Mixup's α."""
    augment: list[Any] = [{"name": "original_crop", "size": [224, 224], "scale": [0.05, 1.0]}, "flip"]
    augment += [
        {"name": "rand_augment", "num_ops": layers, "magnitude": magnitude, "scale": 10, "space": "google", "fill": 128}
    ]
    mix = {"name": "mix", "prob": 1.0, "mixup_alpha": mixup, "cutmix_alpha": 0.0}
    return {"augment": augment + ([mix] if mixup else [])}


VARIANTS = {
    "none_reg": REGULARISER,
    "light1": level(2, 0, 0.0),
    "light1_reg": level(2, 0, 0.0) | REGULARISER,
    "light2": level(2, 10, 0.2),
    "light2_reg": level(2, 10, 0.2) | REGULARISER,
    "medium1": level(2, 15, 0.2),
    "medium1_reg": level(2, 15, 0.2) | REGULARISER,
    "medium2": level(2, 15, 0.5),
    "medium2_reg": level(2, 15, 0.5) | REGULARISER,
    "strong1": level(2, 20, 0.5),
    "strong1_reg": level(2, 20, 0.5) | REGULARISER,
    "strong2": level(2, 20, 0.8),
    "strong2_reg": level(2, 20, 0.8) | REGULARISER,
}


def spec() -> RunSpec:
    """Without RandAugment, Mixup and regulariser; evaluated on 224 × 224 of 256 × 256 (shorter side, centre)."""
    return RunSpec(
        model=ViTSpec(embed_dim=384, num_heads=6, init=trunc_normal.Spec(head_bias=-6.9)),
        data=imagenet1k.Spec(img_size=(256, 256), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        augment=(original_crop.Spec(size=(224, 224), scale=(0.05, 1.0)), flip.Spec()),
        preprocess=(center_crop.Spec(size=(224, 224)),),
        task=classify.Spec(loss="sigmoid"),
        batch_size=4096,
        epochs=300,
        optim=OptimSpec(lr=1e-3, weight_decay=0.1, clip_norm=1.0, schedule=cosine.Spec(warmup_steps=10_000)),
        val_fraction=0.01,
    )
