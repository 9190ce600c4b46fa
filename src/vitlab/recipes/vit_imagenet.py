"""The ViT paper's training on ImageNet-1k (arXiv 2010.11929, Table 3): ViT-B/16, 300 epochs.

    vitlab train vit_imagenet --data PATH --out runs/vit_imagenet     92,900 steps, 381 million images seen

PATH holds train/<class>/… and val/<class>/…, or parquet shards; `hub:ORG/NAME` works too. Adam's weight decay there is
decoupled, so this is AdamW. Not in the table: the Inception crop and the flip (inferred), and that biases, norms,
tokens and positions decay too (inferred). The paper's two-layer head of pre-training is a linear one here.
An epoch is 99 % of the images: `val_fraction` is 0.01.
"""

from vitlab.augment.ops import center_crop, flip, resized_crop
from vitlab.data.sets import folder
from vitlab.models.vit import ViTSpec
from vitlab.optim.schedule import cosine
from vitlab.train.spec import OptimSpec, RunSpec


def spec() -> RunSpec:
    """Pictures are decoded to 256 × 256 (shorter side, centre), of which training sees 5 to 100 % at 224 × 224."""
    return RunSpec(
        model=ViTSpec(embed_dropout=0.1, mixer_dropout=0.1, mlp_dropout=0.1),
        data=folder.Spec(
            path="imagenet", img_size=(256, 256), num_classes=1000, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
        ),
        augment=(resized_crop.Spec(size=(224, 224), scale=(0.05, 1.0)), flip.Spec()),
        preprocess=(center_crop.Spec(size=(224, 224)),),
        batch_size=4096,
        epochs=300,
        optim=OptimSpec(
            lr=3e-3, weight_decay=0.3, decay_on="all", clip_norm=1.0, schedule=cosine.Spec(warmup_steps=10_000)
        ),
        val_fraction=0.01,
    )
