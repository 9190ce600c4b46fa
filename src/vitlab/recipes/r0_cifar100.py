"""R0's recipe on CIFAR-100, for its ViT; `:tomvit`, `:ttt` … `:fff` and more for its other models.

    vitlab train r0_cifar100 --out runs/r0_vit100                117,200 steps, 15,001,600 images seen
    vitlab train r0_cifar100:tomvit --out runs/r0_tomvit100      the same for TomViT

As on CIFAR-10, but: the flip comes before the crop, stochastic depth of 0.1 in every model, CIFAR-100's normalisation.
Published: 73.81, 72.89 (ViT) and 75.48 (TomViT); 77.37 (`tomvit_ae_tables`), 75.32 (`tomvit_ae_xavier`) and 70.44
(`vaswani`), whose models are inferred; eight-way, single runs: ttt 72.78, ttf 72.61, tft 73.47, tff 73.37, ftt 74.46,
ftf 75.64, fft 76.10, fff 75.39; each the best test epoch of one run, here the last step counts.
No score of ours is recorded yet.
"""

from dataclasses import replace

from vitlab.data.sets import cifar100
from vitlab.recipes import r0_cifar10
from vitlab.train.spec import RunSpec

DROP_PATH = 0.1
VARIANTS = {
    "tomvit": {"model": "r0_tomvit", "model.drop_path": DROP_PATH},
    "ttt": {"model": "r0_ttt", "model.drop_path": DROP_PATH},
    "ttf": {"model": "r0_ttf", "model.drop_path": DROP_PATH},
    "tft": {"model": "r0_tft", "model.drop_path": DROP_PATH},
    "tff": {"model": "r0_tff", "model.drop_path": DROP_PATH},
    "ftt": {"model": "r0_ftt", "model.drop_path": DROP_PATH},
    "ftf": {"model": "r0_ftf", "model.drop_path": DROP_PATH},
    "fft": {"model": "r0_fft", "model.drop_path": DROP_PATH},
    "fff": {"model": "r0_fff", "model.drop_path": DROP_PATH},
    "spt": {"model": "r0_spt", "model.drop_path": DROP_PATH},
    "lsa": {"model": "r0_lsa", "model.drop_path": DROP_PATH},
    "sl": {"model": "r0_sl", "model.drop_path": DROP_PATH},
    "gpsa": {"model": "r0_gpsa", "model.drop_path": DROP_PATH},
    "vaswani": {"model": "r0_vaswani", "model.drop_path": DROP_PATH},
    "tomvit_ae": {"model": "r0_tomvit_ae", "model.drop_path": DROP_PATH},
    "tomvit_ae_tables": {"model": "r0_tomvit_ae_tables", "model.drop_path": DROP_PATH},
    "tomvit_ae_xavier": {"model": "r0_tomvit_ae_xavier", "model.drop_path": DROP_PATH},
}


def spec() -> RunSpec:
    """The recipe on CIFAR-10 with what is different here."""
    ten = r0_cifar10.spec()
    crop, flip, *rest = ten.augment
    return replace(
        ten,
        model=replace(ten.model, num_classes=100, drop_path=DROP_PATH),
        data=cifar100.Spec(),
        augment=(flip, crop, *rest),
    )
