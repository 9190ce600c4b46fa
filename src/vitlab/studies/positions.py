"""Which positions, and where are they added? The ViT paper's table of positions, on CIFAR-10.

Learned 1-D and 2-D positions at the stem, at every layer, or at every layer from one table; vectors for relative
offsets; none (arXiv 2010.11929, appendix D.4). Relative positions and none have one place, so the eight are listed;
`factorial` crosses kind and place where both exist.

    vitlab study positions               58 runs, 9.9e16 FLOPs; 33 passes
    vitlab study positions:factorial     44 runs, 7.4e16 FLOPs
    vitlab study positions:digits        58 runs, 2.9e12 FLOPs; for a laptop

Published for ViT-B/16 pre-trained on JFT-300M, which cannot be had; 5-shot accuracy on ImageNet: none .61382; 1-D
.64206 at the stem, .63964 at every layer, .64292 shared; 2-D .64001, .64046, .64022; relative .64032. The paper's
lesson was that having positions matters, and which ones hardly does. Whether that holds for 64 patches of a small
picture, from scratch, is what is asked here.
"""

from vitlab.recipes import recipe
from vitlab.study.design import factorial as crossed
from vitlab.study.design import listed
from vitlab.study.design._base import Level
from vitlab.study.spec import StudySpec, choice

QUESTION = "Which position embedding, and where is it added?"


def study() -> StudySpec:
    """The table's eight models with R0's ViT and recipe, at a tenth of its length."""
    return StudySpec(QUESTION, recipe("r0_cifar10_tenth"), _table())


def factorial() -> StudySpec:
    """1-D and 2-D in all three places."""
    kind = choice(
        "positions",
        {"1-D": {"model.pos_embed": "learned"}, "2-D": {"model.pos_embed": "learned_2d"}},
        says={"2-D": "2-D instead of 1-D positions"},
    )
    place = choice(
        "place",
        {
            "stem": {"model.pos_embed.place": "stem"},
            "every layer": {"model.pos_embed.place": "every_layer"},
            "shared": {"model.pos_embed.place": "every_layer_shared"},
        },
        says={
            "every layer": "positions at every layer",
            "shared": "positions at every layer, shared",
        },
    )
    return StudySpec(QUESTION, recipe("r0_cifar10_tenth"), crossed.Spec((kind, place)))


def digits() -> StudySpec:
    """The same eight in the digits' small ViT: 16 patches, two layers."""
    return StudySpec(QUESTION, recipe("digits_small"), _table())


def _table() -> listed.Spec:
    """1-D at the stem is what a ViT usually has, so the others are compared with it."""
    return listed.Spec(
        (
            Level("1-D", {"model.pos_embed": "learned"}),
            Level("none", {"model.pos_embed": "none"}, "removing the position embedding"),
            Level("1-D, every layer", _at("learned", "every_layer"), "1-D positions at every layer"),
            Level("1-D, shared", _at("learned", "every_layer_shared"), "1-D positions at every layer, shared"),
            Level("2-D", {"model.pos_embed": "learned_2d"}, "2-D instead of 1-D positions"),
            Level("2-D, every layer", _at("learned_2d", "every_layer"), "2-D positions at every layer"),
            Level("2-D, shared", _at("learned_2d", "every_layer_shared"), "2-D positions at every layer, shared"),
            Level("relative", {"model.pos_embed": "relative"}, "relative instead of 1-D positions"),
        )
    )


def _at(kind: str, place: str) -> dict[str, dict[str, str]]:
    return {"model.pos_embed": {"name": kind, "place": place}}
