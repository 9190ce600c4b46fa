"""A small ViT on pictures of your own, from scratch; without --data on Imagenette at 96 × 96 pixels.

    vitlab train pictures --data FOLDER --out runs/pictures

96 × 96 pixels in patches of 12 (64 tokens), D 192, depth 6; AugReg's level light2 (RandAugment of 2 operations at 10 of
10, Mixup 0.2) behind an Inception crop of at least a quarter of the picture. For a few thousand to a hundred thousand
pictures on a CPU or a small GPU; `--epochs 100` for more. Scores and times: docs/lab-log.md.
"""

from vitlab.augment.ops import flip, mix, rand_augment, resized_crop
from vitlab.data.sets import parquet
from vitlab.models.spec import ViTSpec
from vitlab.nn.init import torch_default
from vitlab.nn.pool import mean
from vitlab.nn.pos_embed import sincos2d
from vitlab.optim.schedule import cosine
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec


def spec() -> RunSpec:
    """A tenth of the training pictures is for validation; the last step counts."""
    return RunSpec(
        model=ViTSpec(
            img_size=(96, 96),
            patch_size=(12, 12),
            num_classes=10,
            embed_dim=192,
            depth=6,
            num_heads=6,
            mlp_ratio=2.0,
            cls_token=False,
            pool=mean.Spec(),
            pos_embed=sincos2d.Spec(),
            init=torch_default.Spec(),
        ),
        data=parquet.Spec(path="imagenette96", img_size=(96, 96), num_classes=10),
        augment=(
            resized_crop.Spec(scale=(0.25, 1.0)),
            flip.Spec(),
            rand_augment.Spec(num_ops=2, magnitude=10, scale=10, space="google", fill=128),
            mix.Spec(prob=1.0, mixup_alpha=0.2, cutmix_alpha=0.0),
        ),
        task=classify.Spec(label_smoothing=0.1),
        batch_size=64,
        epochs=20,
        optim=OptimSpec(lr=1e-3, weight_decay=0.05, clip_norm=1.0, schedule=cosine.Spec(warmup_epochs=3)),
    )
