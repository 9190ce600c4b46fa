"""R1: ViT on CIFAR-100, from scratch and fine-tuned."""

from vitlab.reference.system import NO_CHECKPOINT, Figure, System

TITLE = "R1: ViT on CIFAR-100, from scratch and fine-tuned"
ABOUT = """Figures are the last epoch of one run, where nothing else is said. The published runs never switched to
evaluation mode, did not normalise their input, and threw away the leftover micro-batches (195 and 97 updates an epoch):
the recipes' `:published` variants keep these bugs, `r1_scratch` and `r1_finetune` themselves do not."""
USUAL = "last epoch of one run"

SYSTEMS = (
    System(
        "R1/setting 1",
        "CIFAR-100",
        "r1_vit",
        "r1_scratch:published",
        (
            Figure("top1", 23.93, USUAL),
            Figure("top5", 49.68, USUAL),
            Figure("train_top1", 82.83, USUAL),
            Figure("top1", 25.63, "best test epoch, 40"),
        ),
        inferred="layer norm's eps",
    ),
    System(
        "R1/setting 2",
        "CIFAR-100",
        "vit_base_patch16_384:100",
        "r1_finetune:published",
        (
            Figure("top1", 86.54, USUAL),
            Figure("top5", 98.17, USUAL),
            Figure("train_top1", 86.79, USUAL),
            Figure("top1", 87.13, "the ViT paper's row"),
        ),
        ours=NO_CHECKPOINT,
        inferred="a constant rate, no dropout",
    ),
)
