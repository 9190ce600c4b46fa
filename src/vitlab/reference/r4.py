"""R4: the ViT paper's experiments, most of which were never released, AugReg's levels, and SAM and GSAM."""

from typing import Any

from vitlab.reference.system import NO_CHECKPOINT, TOO_LONG, Figure, Missing, System

TITLE = "R4: the ViT paper's experiments, AugReg, SAM and GSAM"
ABOUT = """The tables of positions and shapes come from pre-training on JFT-300M, which is not public: their recipes
make the same comparison on ImageNet-1k, so their results cannot be compared with the published ones. The five-shot
accuracies are those of a linear map from the frozen representation, fitted to five images a class."""
USUAL = "after JFT-300M"
NO_JFT = Missing("JFT-300M is not public; not run on ImageNet-1k: it takes more GPU time than was available")
NO_TASK = Missing("masked patch prediction is not built yet")
NO_RADIUS = Missing("the study does not say which radius; optim.update=sam takes any")
NO_MODEL = Missing("there is no model to train")
NO_VALUES = Missing("the study gives no values")


def imagenet(
    row: str, preset: str | Missing, recipe: str | Missing, published: tuple[Figure, ...] = (), **more: Any
) -> System:
    """A row on ImageNet-1k."""
    return System(f"R4/{row}", "ImageNet-1k", preset, recipe, published, **more)


_INPUT = (
    imagenet(
        "input/no qkv bias",
        "r4_vit",
        Missing("only its parameters are given"),
        ours=Missing("only its parameters are given"),
        inferred="layer norm's eps",
    ),
    imagenet(
        "training/table 3",
        "B/16",
        "vit_imagenet",
        inferred="Inception crop, flip, decay on all parameters, initial weights",
    ),
    imagenet(
        "training/table 4",
        "B/16@384",
        "r2_official:b16_imagenet",
        (Figure("top1", 84.53, "R2's row, dropout 0"),),
        ours=NO_CHECKPOINT,
    ),
)


def position(name: str, slug: str, accuracy: float) -> System:
    """A row of the table of positions: B/16, five images a class."""
    figures = (Figure("five_shot_top1", accuracy, USUAL),)
    preset, recipe = f"r4_pos_{slug}", f"vit_imagenet:pos_{slug}"
    return imagenet(f"positions/{name}", preset, recipe, figures, ours=NO_JFT)


_POSITIONS = (
    position("none", "none", 61.382),
    position("1-D, stem", "1d", 64.206),
    position("1-D, every layer", "1d_layers", 63.964),
    position("1-D, shared", "1d_shared", 64.292),
    position("2-D, stem", "2d", 64.001),
    position("2-D, every layer", "2d_layers", 64.046),
    position("2-D, shared", "2d_shared", 64.022),
    position("relative", "relative", 64.032),
)

_POOLING = tuple(
    imagenet(
        f"pooling/{pool}, lr {rate}",
        f"r4_pool_{pool}",
        f"vit_imagenet:pool_{slug}",
        (Figure("five_shot_top1", accuracy, "about"),),
        ours=NO_JFT,
        inferred="B/16; the mean without a class token",
        note="equal only at their own learning rates",
    )
    for pool, slug, rate, accuracy in (
        ("cls", "cls", "8e-4", 56.1),
        ("mean", "mean", "8e-4", 50.4),
        ("mean", "mean_slow", "3e-4", 55.7),
    )
)

_SHAPES = (
    *(
        imagenet(f"shape/{name}", f"r4_shape_{slug}", f"vit_imagenet:shape_{slug}", ours=NO_JFT, inferred="16 heads")
        for name, slug in (("base", "base"), ("depth 16", "depth16"), ("depth 64", "depth64"))
    ),
    *(
        imagenet(
            f"shape/{what}",
            f"r4_shape_{slug}",
            f"vit_imagenet:shape_{slug}",
            ours=NO_JFT,
            inferred=f"the figure gives no sizes: {size}",
            note=effect,
        )
        for what, slug, size, effect in (
            ("width", "width", "1,024 doubled, with 32 heads", "gains least"),
            ("MLP width", "mlp", "2,048 doubled", ""),
            ("patch size", "patch", "32 halved", "smaller patches help without parameters"),
        )
    ),
    imagenet("shape/all", NO_VALUES, NO_VALUES, ours=NO_MODEL, note="all of them together"),
)

_MASKED = tuple(
    imagenet(
        f"masked patches/{target}",
        "B/16",
        NO_TASK,
        published=figures,
        ours=NO_TASK,
        note=note,
    )
    for target, figures, note in (
        ("mean colour", (Figure("top1", 79.9, "+2 over scratch, -4 under supervised"),), "the best target"),
        ("4 x 4 colours", (), ""),
        ("whole patch", (), "slightly worse"),
    )
)

_AUGREG = tuple(
    imagenet(f"AugReg/{level}{name}", "S/16", f"augreg:{level}{suffix}".removesuffix(":none"))
    for level in ("none", "light1", "light2", "medium1", "medium2", "strong1", "strong2")
    for name, suffix in (("", ""), (", regularised", "_reg"))
)

_INFERRED = "no cls token, head bias -6.9, warm-up and clipping as in table 3, initial weights"
_SHARPNESS = {  # ρ_max / ρ_min / α of GSAM, and top-1 with AdamW, SAM and GSAM
    "S/32": (".6/0/.4", None),
    "S/16": (".6/0/1.0", None),
    "B/32": (".6/.1/.6", (71.4, 73.6, 76.8)),
    "B/16": (".6/.2/.4", (74.6, 79.9, 81.0)),
}


def sharpness(size: str) -> tuple[System, ...]:
    """A size with AdamW, SAM and GSAM."""
    radii, accuracies = _SHARPNESS[size]
    slug = size.replace("/", "").lower()
    rows = []
    for place, rule in enumerate(("AdamW", "SAM", "GSAM")):
        recipe = NO_RADIUS if rule == "SAM" else f"vit_imagenet:{rule.lower()}_{slug}"
        rows.append(
            imagenet(
                f"{rule}/{size}",
                f"r4_gsam_{slug}",
                recipe,
                published=(Figure("top1", accuracies[place]),) if accuracies else (),
                ours=NO_RADIUS if rule == "SAM" else TOO_LONG,
                inferred=_INFERRED,
                note=f"ρ_max/ρ_min/α {radii}" if rule == "GSAM" else "",
            )
        )
    return tuple(rows)


SYSTEMS = (
    _INPUT
    + _POSITIONS
    + _POOLING
    + _SHAPES
    + _MASKED
    + _AUGREG
    + tuple(row for size in _SHARPNESS for row in sharpness(size))
)
