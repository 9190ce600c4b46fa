"""R3: attention and token mechanisms on CIFAR-10 (nanovit)."""

from vitlab.reference.system import Figure, System

TITLE = "R3: attention and token mechanisms on CIFAR-10"
ABOUT = "Accuracies are the best test epoch of one run of 40 passes."
USUAL = "best test epoch of one run"


def system(name: str, accuracy: float, seconds: float, note: str) -> System:
    """One of the three."""
    return System(
        f"R3/C10/{name}",
        "CIFAR-10",
        f"r3_{name.lower()}",
        f"r3_cifar10:{name.lower()}",
        (Figure("top1", accuracy, USUAL), Figure("seconds_per_epoch", seconds, "M1 Pro")),
        inferred="layer norm's eps, weight decay on all parameters",
        note=note,
    )


SYSTEMS = (
    system(
        "VIT", 75.83, 93.9, "patches of 2, softmax attention whose logits are divided by the root of the full width"
    ),
    system("VITL", 65.58, 171.1, "pixels as tokens, linear attention"),
    system("VITX", 78.89, 178.8, "convolved pixels as tokens, linear attention"),
)
