"""R0's recipe on CIFAR-10, for its ViT; `:tomvit`, `:ttt` … `:fff` and more for its other models.

    vitlab train r0_cifar10 --out runs/r0_vit                    117,200 steps, 15,001,600 images seen
    vitlab train r0_cifar10:tomvit --out runs/r0_tomvit          the same for TomViT

"100 epochs" there are 100 times 150,000 samples: 300 passes over the 50,000 training images. Published: 93.58 to 93.79
(ViT) and 95.24 (TomViT), each the best test epoch of one run; here the last step counts. No score of ours is recorded
yet.

`tomvit_ae` is TomViT with the published code's auto-encoder. `tomvit_ae_tables` is what the tables call AE2 (95.57) and
`tomvit_ae_xavier` their AE (94.96), both inferred from a parameter count; all three have stochastic depth of 0.1.
`spt`, `lsa` and `sl` are SL-ViT's parts, `gpsa` has gated positional self-attention, `vaswani` Xavier's initialisation
(inferred). Not told there, and chosen here: AutoAugment shears to the nearest pixel, as the policy's authors do.
"""

from vitlab.augment.ops import auto_augment, crop, erase, flip, mix
from vitlab.data.sets import cifar10
from vitlab.models.spec import preset
from vitlab.optim.schedule import cosine
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec

VARIANTS = {
    "tomvit": {"model": "r0_tomvit"},
    "ttt": {"model": "r0_ttt"},
    "ttf": {"model": "r0_ttf"},
    "tft": {"model": "r0_tft"},
    "tff": {"model": "r0_tff"},
    "ftt": {"model": "r0_ftt"},
    "ftf": {"model": "r0_ftf"},
    "fft": {"model": "r0_fft"},
    "fff": {"model": "r0_fff"},
    "spt": {"model": "r0_spt"},
    "lsa": {"model": "r0_lsa"},
    "sl": {"model": "r0_sl"},
    "gpsa": {"model": "r0_gpsa"},
    "vaswani": {"model": "r0_vaswani"},
    "tomvit_ae": {"model": "r0_tomvit_ae", "model.drop_path": 0.1},
    "tomvit_ae_tables": {"model": "r0_tomvit_ae_tables", "model.drop_path": 0.1},
    "tomvit_ae_xavier": {"model": "r0_tomvit_ae_xavier", "model.drop_path": 0.1},
}


def spec() -> RunSpec:
    """Every setting of R0's recipe; `val_fraction` is 0, as it trains on all 50,000 images."""
    return RunSpec(
        model=preset("r0_vit"),
        data=cifar10.Spec(),
        augment=(
            crop.Spec(padding=4),
            flip.Spec(),
            auto_augment.Spec(policy="cifar10", fill=128, rotate_sign=False),
            erase.Spec(value="mean_raw"),
            mix.Spec(),
        ),
        task=classify.Spec(label_smoothing=0.1),
        batch_size=128,
        steps=117_200,
        optim=OptimSpec(
            lr=1e-3,
            weight_decay=0.05,
            decay_on="all",
            schedule=cosine.Spec(warmup_steps=11_720, warmup_lr=1e-5, min_lr=1e-5),
        ),
        val_fraction=0.0,
        evaluate_every=3.0,
    )
