"""R2: ViT and ResNet hybrids fine-tuned from ImageNet-21k."""

from vitlab.reference.system import NO_CHECKPOINT, Figure, Missing, System

TITLE = "R2: ViT and ResNet hybrids, fine-tuned from ImageNet-21k"
ABOUT = """The official fine-tuning at 384 pixels with its official targets; and the study's own recipe (a) at 224 and
at 384 pixels, of which no results are known: which of the two sizes it had, and which dropouts its .1 refers to, are
inferred. All start from weights trained on ImageNet-21k (`--init`)."""
USUAL = ""
SETS = {"CIFAR-10": ("cifar10", "C10", 10), "CIFAR-100": ("cifar100", "C100", 100)}
IMAGENET = ("imagenet", "IN1k", 1000)
SLUGS = {  # a model's part in the names of recipes
    "B/16": "b16",
    "B/32": "b32",
    "L/16": "l16",
    "L/32": "l32",
    "R50+B/16": "r50_b16",
    "R50+L/32": "r50_l32",
    "R26+S/32": "r26_s32",
    "H/14": "h14",
}
TARGETS = {  # top-1 without dropout / with .1, on CIFAR-10, CIFAR-100, ImageNet-1k
    "R50+B/16": ((98.72, 98.94), (90.88, 92.30), (83.72, 85.08)),
    "B/16": ((99.02, 98.76), (92.06, 91.92), (84.53, 84.12)),
    "B/32": ((98.88, 98.75), (92.31, 92.05), (81.66, 81.31)),
    "L/16": ((99.13, 99.14), (92.91, 93.22), (84.47, 85.05)),
    "L/32": ((99.06, 99.09), (93.29, 93.34), (81.89, 81.13)),
}


def variant(recipe: str, model: str, data: str) -> str:
    """The recipe for a model on a set; B/16 on CIFAR-10 is the recipe itself."""
    slug = f"{SLUGS[model]}_{data}"
    return recipe if slug == "b16_cifar10" else f"{recipe}:{slug}"


def official(model: str, dataset: str, names: tuple[str, str, int], targets: tuple[float, ...] = ()) -> System:
    """A model at 384 pixels, with its targets where there are any."""
    data, short, classes = names
    figures = zip(targets, ("dropout 0", "dropout .1"), strict=bool(targets))
    recipe = variant("r2_official", model, data)
    return System(
        f"R2/{short}/{model}@384",
        dataset,
        f"{model}@384:{classes}",
        recipe,
        tuple(Figure("top1", value, what) for value, what in figures),
        NO_CHECKPOINT,
        note=("" if targets else "no official target; ") + commands(recipe, model, data),
    )


def commands(recipe: str, model: str, data: str) -> str:
    """What trains it without dropout and with, from the weights as Google publishes them."""
    file = "R50+ViT" if model.startswith("R50") else "ViT"
    options = f"--init {file}-{model.rpartition('+')[2].replace('/', '_')}.npz"
    options += " --data PATH" if data == "imagenet" else ""
    with_dropout = f"{recipe if ':' in recipe else f'{recipe}:b16_cifar10'}_dropout"
    return f"`vitlab train {recipe} {options} --out DIR`; with dropout of .1 `{with_dropout}` in its place"


def own(model: str, dataset: str) -> System:
    """A model at 224 pixels, by the study's own recipe."""
    data, short, classes = SETS[dataset]
    recipe = variant("r2_multistep", model, data)
    return System(
        f"R2/{short}/{model}@224", dataset, f"{model}:{classes}", recipe, ours=NO_CHECKPOINT, inferred="224 pixels"
    )


def own_at_384(model: str, dataset: str) -> System:
    """The same at 384 pixels."""
    data, short, classes = SETS[dataset]
    return System(
        f"R2/{short}/{model}@384, own recipe",
        dataset,
        f"{model}@384:{classes}",
        f"r2_multistep:384_{SLUGS[model]}_{data}",
        ours=NO_CHECKPOINT,
        inferred="384 pixels",
    )


def before_fine_tuning(model: str) -> System:
    """A model with a head of 1000 classes, of which only the count is given."""
    reason = "only its parameters are given; it is trained in no experiment"
    return System(f"R2/IN1k/{model}@224", "ImageNet-1k", model, Missing(reason), ours=Missing(reason))


SYSTEMS = (
    *(
        official(model, dataset, names, TARGETS[model][place] if model in TARGETS else ())
        for place, (dataset, names) in enumerate(SETS.items())
        for model in (*TARGETS, "R50+L/32")
    ),
    *(official(model, "ImageNet-1k", IMAGENET, targets[2]) for model, targets in TARGETS.items()),
    *(own(model, dataset) for dataset in SETS for model in SLUGS),
    *(own_at_384(model, dataset) for dataset in SETS for model in (*TARGETS, "R50+L/32")),
    *(before_fine_tuning(model) for model in ("B/16", "L/32", "H/14")),
)
