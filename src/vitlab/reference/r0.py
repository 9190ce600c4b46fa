"""R0: "What do the components of a transformer do in a vision transformer?" on CIFAR-10, CIFAR-100, ImageNet-1k."""

from typing import Any

from vitlab.reference.system import Figure, Missing, System

TITLE = "R0: what do the components of a transformer do in a vision transformer?"
ABOUT = """Accuracies are the best test epoch of one run; one standard error of 93.6 % on 10,000 images is 0.25 points,
so several of the differences are noise. An epoch there is three passes: 100 of them are 117,200 steps. Losses are those
of the test images, with training's label smoothing in them. Three letters say whether cls token, final norm and learned
positions are kept (t) or dropped (f)."""
USUAL = "best test epoch of one run"
NO_CONSTRUCTION = Missing("the study does not say how it is built")
NO_SETTINGS = Missing("its training is not described")
NO_MODEL = Missing("there is no model to train")


def top1(value: float, *more: Figure) -> tuple[Figure, ...]:
    """An accuracy as R0 reports it, and what else is known of the run."""
    return (Figure("top1", value, USUAL), *more)


def quoted(value: float) -> tuple[Figure, ...]:
    """An accuracy of others that R0 prints beside its own."""
    return (Figure("top1", value, "quoted from arXiv 2112.13492"),)


def loss(value: float, what: str = "") -> Figure:
    """The test loss, which has the label smoothing of training in it."""
    return Figure("val_loss", value, what)


def ten(name: str, model: str, variant: str, published: tuple[Figure, ...] = (), **more: Any) -> System:
    """A row on CIFAR-10."""
    return System(f"R0/C10/{name}", "CIFAR-10", model, f"r0_cifar10{variant}", published, **more)


def hundred(name: str, model: str, variant: str, published: tuple[Figure, ...] = (), **more: Any) -> System:
    """A row on CIFAR-100."""
    return System(f"R0/C100/{name}", "CIFAR-100", f"{model}:100", f"r0_cifar100{variant}", published, **more)


SAME = "the rows of ViT differ only by recipe or initialisation; the study does not say how"
QUOTED = "the study has no run of this: the figure is that of arXiv 2112.13492"
VASWANI = "vaswani is Xavier's initialisation"
TABLES = "source unknown: shifted patches and a decoder fit the printed parameter count exactly"
XAVIER = f"{TABLES}; Xavier's uniform initialisation"

_CIFAR10 = (
    ten("ViT", "r0_vit", "", quoted(93.58), note="also printed as ViT(paper)", inferred=QUOTED),
    ten("ViT(Ours)", "r0_vit", "", top1(93.79, loss(0.6577, "epoch 96")), inferred=SAME),
    ten("ViT(vaswani)", "r0_vaswani", ":vaswani", inferred=VASWANI, note="no figure of its own on CIFAR-10"),
    ten("TomViT", "r0_tomvit", ":tomvit", top1(95.24, loss(0.6265, "epoch 98"))),
    ten("TomViT AE (xavier u)", "r0_tomvit_ae_xavier", ":tomvit_ae_xavier", top1(94.96), inferred=XAVIER),
    ten("TomViT AE2", "r0_tomvit_ae_tables", ":tomvit_ae_tables", top1(95.57), inferred=TABLES),
    System("R0/C10/vaswani-4AE", "CIFAR-10", NO_CONSTRUCTION, NO_SETTINGS, top1(88.40), NO_MODEL, note="310 epochs"),
    System("R0/C10/vaswani-1AE", "CIFAR-10", NO_CONSTRUCTION, NO_SETTINGS, top1(93.72), NO_MODEL, note="310 epochs"),
    ten("TomViT+AE (code)", "r0_tomvit_ae", ":tomvit_ae", note="the published code's auto-encoder"),
    *(
        ten(letters, f"r0_{letters}", f":{letters}")
        for letters in ("ttt", "ttf", "tft", "tff", "ftt", "ftf", "fft", "fff")
    ),
    ten("SPT", "r0_spt", ":spt"),
    ten("LSA", "r0_lsa", ":lsa"),
    ten("SL-ViT", "r0_sl", ":sl"),
    ten("GPSA", "r0_gpsa", ":gpsa", note="a later row, without a parameter count or a result"),
)

_CIFAR100 = (
    hundred("ViT", "r0_vit", "", quoted(73.81), note="also printed as ViT(paper)", inferred=QUOTED),
    hundred("ViT(Ours)", "r0_vit", "", top1(72.89, loss(1.71078)), inferred=SAME),
    hundred("ViT(svit)", "r0_vit", "", top1(72.46), inferred=SAME),
    hundred("ViT(vaswani)", "r0_vaswani", ":vaswani", top1(70.44), inferred=VASWANI),
    hundred("TomViT", "r0_tomvit", ":tomvit", top1(75.48, loss(1.62798))),
    hundred(
        "TomViT AE (xavier u)", "r0_tomvit_ae_xavier", ":tomvit_ae_xavier", top1(75.32, loss(1.682)), inferred=XAVIER
    ),
    hundred("TomViT AE2", "r0_tomvit_ae_tables", ":tomvit_ae_tables", top1(77.37, loss(1.5951)), inferred=TABLES),
    hundred("TomViT+AE (code)", "r0_tomvit_ae", ":tomvit_ae", note="the published code's auto-encoder"),
    *(
        hundred(letters, f"r0_{letters}", f":{letters}", top1(accuracy))
        for letters, accuracy in (
            *(("ttt", 72.78), ("ttf", 72.61), ("tft", 73.47), ("tff", 73.37)),
            *(("ftt", 74.46), ("ftf", 75.64), ("fft", 76.10), ("fff", 75.39)),
        )
    ),
    hundred("SPT", "r0_spt", ":spt"),
    hundred("LSA", "r0_lsa", ":lsa"),
    hundred("SL-ViT", "r0_sl", ":sl"),
    hundred("GPSA", "r0_gpsa", ":gpsa", note="a later row, without a parameter count or a result"),
)

_IMAGENET = (
    System(
        "R0/IN1k/ViT(B)",
        "ImageNet-1k",
        "r0_vit_base",
        "r0_imagenet",
        top1(77.31),
        inferred="label smoothing, no mixing",
    ),
    System(
        "R0/IN1k/TomViT(B)",
        "ImageNet-1k",
        Missing("construction unknown: its printed count is ViT(B)'s, and the fff variant would have 86,386,408"),
        NO_MODEL,
        top1(77.816),
        NO_MODEL,
    ),
    System(
        "R0/IN1k/ViT (T2T paper)",
        "ImageNet-1k",
        Missing("quoted from arXiv 2101.11986; the study does not say which model"),
        Missing("quoted: trained by others"),
        (Figure("top1", 79.8, "quoted"),),
        NO_MODEL,
    ),
)

SYSTEMS = _CIFAR10 + _CIFAR100 + _IMAGENET
