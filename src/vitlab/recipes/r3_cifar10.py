"""R3's comparison of attention and tokens on CIFAR-10: `:vit` (the recipe itself), `:vitl`, `:vitx`.

    vitlab train r3_cifar10 --out runs/r3_vit             15,625 steps, 2 million images: patches of 2, softmax
    vitlab train r3_cifar10:vitl --out runs/r3_vitl       the same for pixels as tokens, linear attention
    vitlab train r3_cifar10:vitx --out runs/r3_vitx       the same for three convolutions before that

40 passes over all 50,000 images. Published, each the best test epoch of one run: VIT 75.83 (829,322 parameters, 93.9 s
an epoch on an M1 Pro), VITL 65.58 (924,426; 171.1 s), VITX 78.89 (1,017,162; 178.8 s). So the test split is looked at
every epoch, as there, and the record says so. There, batches ended with the epoch (391 steps); here the stream is
continuous. Inferred: layer norm's eps (PyTorch's), and weight decay on all parameters. A short run: docs/results.md.
"""

from vitlab.augment.ops import crop, flip, resize
from vitlab.data.sets import cifar10
from vitlab.models.spec import preset
from vitlab.optim.schedule import cosine
from vitlab.tasks import classify
from vitlab.train.spec import OptimSpec, RunSpec

VARIANTS = {
    "vit": {"model": "r3_vit"},
    "vitl": {"model": "r3_vitl"},
    "vitx": {"model": "r3_vitx"},
}


def spec() -> RunSpec:
    """A picture is mirrored, resized to 35 × 35, and a window of 32 is cut out of it with a border of 4."""
    return RunSpec(
        model=preset("r3_vit"),
        data=cifar10.Spec(mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.2010)),
        augment=(flip.Spec(), resize.Spec(size=(35, 35)), crop.Spec(padding=4, size=(32, 32))),
        task=classify.Spec(label_smoothing=0.1),
        batch_size=128,
        epochs=40,
        optim=OptimSpec(lr=1e-3, weight_decay=1e-4, decay_on="all", schedule=cosine.Spec(min_lr=1e-5, per="epoch")),
        val_fraction=0.0,
        test_every_epoch=True,
    )
