"""What is pretraining on CIFAR-100 worth on CIFAR-10, at a higher resolution?

    vitlab train cifar10_short --data cifar100 --set model.patch_size=8 --set model.patch_embed=linear \\
        --set model.pos_embed=learned --steps 4000 --out runs/cifar100_small
    vitlab export runs/cifar100_small --to timm --out runs/cifar100_small_timm
    vitlab study docs/examples/transfer.py --out runs/transfer

A ViT of 560,000 parameters is trained on CIFAR-100 at 32 × 32 pixels, written in timm's format, read again, and
fine-tuned on CIFAR-10 at 48 × 48: its positions are resized from 4 × 4 to 6 × 6 patches, and its head is new. Beside
it the same model from scratch, for as many steps, and for as many as fine-tuning and pretraining take together: 4,000
steps at 32 pixels cost as many FLOPs as 1,716 at 48. Every cell has the learning rate, of three, that was best on a
tenth of the training images with one seed; the test images are read once, at the end. All cells have the same seeds.
There is one pretraining: how another would have turned out, the intervals do not say.
"""

from vitlab.recipes import Given, changed, recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.spec import StudySpec, choice, factor

SOURCE = "runs/cifar100_small_timm"
STEPS, PRETRAINING = 400, 1716  # of 64 images at 48 × 48
SCRATCH = {"start": "scratch", "optim.backbone_lr": None, "optim.layer_decay": 1.0}
BEGINNINGS = choice(
    "start",
    {
        "pretrained": {},
        "from scratch": SCRATCH,
        "from scratch, as long as both": {**SCRATCH, "steps": STEPS + PRETRAINING},
    },
    says={
        "from scratch": "training from scratch instead of fine-tuning",
        "from scratch, as long as both": "training from scratch for as long as pretraining and fine-tuning took",
    },
)


def study() -> StudySpec:
    """The recipe `finetune`, but for its length; from scratch all layers learn at one rate."""
    base = recipe("finetune", Given(SOURCE, {"data": "cifar10", "model.img_size": 48}))
    base = changed(base, {"steps": STEPS, "batch_size": 64, "optim.schedule.warmup_steps": 40})
    rates = factor("optim.lr", 5e-4, 1e-3, 3e-3, name="learning rate")
    question = "What is pretraining on CIFAR-100 worth on CIFAR-10, at a higher resolution?"
    return StudySpec(question, base, one_at_a_time.Spec((BEGINNINGS,)), equal="nothing", tune=rates)
