"""The ViT paper's training on ImageNet-1k (arXiv 2010.11929, Table 3): ViT-B/16, 300 epochs.

    vitlab train vit_imagenet --set data.path=PATH --out runs/vit_imagenet              92,900 steps, 381 million images
    vitlab train vit_imagenet:pos_none --set data.path=PATH --out runs/pos_none         the same without positions
    vitlab train vit_imagenet:adamw_b16 --set data.path=PATH --out runs/adamw_b16       GSAM's comparison, its AdamW row
    vitlab train vit_imagenet:gsam_b16 --set data.path=PATH --out runs/gsam_b16         and its GSAM row

PATH is ImageNet-1k as train/<class>/… and val/<class>/…. `--data` takes other sets, parquet shards and `hub:ORG/NAME`
too; the 10,000 steps of warm-up become their share of the epochs then. Adam's weight decay there is decoupled, so this
is AdamW. Not in the table: the Inception crop and the flip (inferred), that biases, norms, tokens and positions decay
too (inferred), and the initial weights: those of the paper's published code (inferred for this training, which it does
not have). The paper's two-layer head of pre-training is a linear one here. An epoch is 99 % of the images:
`val_fraction` is 0.01.

`pos_…` are the models of the paper's table of positions, `shape_…` those of its figure 8 and `pool_…` those of its
figure 9. Figure 8 gives no sizes: in `shape_width`, `shape_mlp` and `shape_patch` that alone is doubled, or the patch
halved (inferred). Figure 9 gives no model: B/16 (inferred), with a class token, or without one and the mean of the
patches at two learning rates. Their published figures come from JFT-300M, which cannot be had: this is the same
comparison on other data. `adamw_…` and `gsam_…` train GSAM's sizes with AdamW and with GSAM (arXiv 2203.08065:
sigmoid loss, mean pooling, a straight line from 3e-3 to 3e-5); warm-up, clipping and initial weights are inferred.
Published, AdamW and GSAM: B/32 71.4 and 76.8, B/16 74.6 and 81.0. Its SAM rows (73.6, 79.9) say no radius: `--set
optim.update.name=sam --set optim.update.rho=…`.
"""

from typing import Any

from vitlab.augment.ops import center_crop, flip, original_crop
from vitlab.base.spec import with_settings
from vitlab.data.sets import imagenet1k
from vitlab.models.spec import ViTSpec
from vitlab.optim.schedule import cosine
from vitlab.train.spec import OptimSpec, RunSpec

DROPOUT = {"embed_dropout": 0.1, "mixer_dropout": 0.1, "mlp_dropout": 0.1}


def of_paper(model: str) -> dict[str, Any]:
    """Another model of the paper, with the same dropout."""
    return {f"model.{name}": rate for name, rate in DROPOUT.items()} | {"model": model, "model.init": "jax"}


def pooled(model: str, lr: float) -> dict[str, Any]:
    """One of figure 9's."""
    return of_paper(model) | {"optim.lr": lr}


def of_gsam(model: str, update: str | dict[str, Any] = "plain") -> dict[str, Any]:
    """One of GSAM's sizes, trained with AdamW by an update of one of the three kinds."""
    schedule = {"name": "linear", "warmup_steps": 10_000, "min_lr": 3e-5}
    task = {"name": "classify", "loss": "sigmoid"}
    return {"model": model, "task": task, "optim.schedule": schedule, "optim.update": update}


def gsam(rho_max: float, rho_min: float, alpha: float) -> dict[str, Any]:
    """GSAM's update."""
    return {"name": "gsam", "rho_max": rho_max, "rho_min": rho_min, "alpha": alpha}


VARIANTS = {
    "pos_none": of_paper("r4_pos_none"),
    "pos_1d": of_paper("r4_pos_1d"),
    "pos_1d_layers": of_paper("r4_pos_1d_layers"),
    "pos_1d_shared": of_paper("r4_pos_1d_shared"),
    "pos_2d": of_paper("r4_pos_2d"),
    "pos_2d_layers": of_paper("r4_pos_2d_layers"),
    "pos_2d_shared": of_paper("r4_pos_2d_shared"),
    "pos_relative": of_paper("r4_pos_relative"),
    "shape_base": of_paper("r4_shape_base"),
    "shape_depth16": of_paper("r4_shape_depth16"),
    "shape_depth64": of_paper("r4_shape_depth64"),
    "shape_width": of_paper("r4_shape_width"),
    "shape_mlp": of_paper("r4_shape_mlp"),
    "shape_patch": of_paper("r4_shape_patch"),
    "pool_cls": pooled("r4_pool_cls", 8e-4),
    "pool_mean": pooled("r4_pool_mean", 8e-4),
    "pool_mean_slow": pooled("r4_pool_mean", 3e-4),
    "adamw_s32": of_gsam("r4_gsam_s32"),
    "adamw_s16": of_gsam("r4_gsam_s16"),
    "adamw_b32": of_gsam("r4_gsam_b32"),
    "adamw_b16": of_gsam("r4_gsam_b16"),
    "gsam_s32": of_gsam("r4_gsam_s32", gsam(0.6, 0.0, 0.4)),
    "gsam_s16": of_gsam("r4_gsam_s16", gsam(0.6, 0.0, 1.0)),
    "gsam_b32": of_gsam("r4_gsam_b32", gsam(0.6, 0.1, 0.6)),
    "gsam_b16": of_gsam("r4_gsam_b16", gsam(0.6, 0.2, 0.4)),
}


def spec() -> RunSpec:
    """Training sees 5 to 100 % of a picture at 224 × 224, evaluation the centre of 256 × 256 (shorter side)."""
    return RunSpec(
        model=with_settings(ViTSpec(), {**DROPOUT, "init": "jax"}),
        data=imagenet1k.Spec(img_size=(256, 256), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        augment=(original_crop.Spec(size=(224, 224), scale=(0.05, 1.0)), flip.Spec()),
        preprocess=(center_crop.Spec(size=(224, 224)),),
        batch_size=4096,
        epochs=300,
        optim=OptimSpec(
            lr=3e-3, weight_decay=0.3, decay_on="all", clip_norm=1.0, schedule=cosine.Spec(warmup_steps=10_000)
        ),
        val_fraction=0.01,
    )
