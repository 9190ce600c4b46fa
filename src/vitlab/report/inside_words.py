"""What is said of the inside of a model: on its page, and in documents."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from vitlab.records.inside import STEPS, Inside, InsideTold

PERCENT = 100
_MUCH = 0.05  # of a difference of logits
_SHOWN = 0.05  # p, corrected, at which an effect can be told
METHODS = {
    "attention": "attention of a block",
    "rollout": "attention rollout",
    "gradient_rollout": "rollout, weighted by gradients",
    "gradient_attention": "gradient × attention",
    "integrated_gradients": "integrated gradients",
    "occlusion": "occlusion",
}
_PLAIN = {"head": 4, "attention": 2, "mlp": 2}  # dots in the site of a block's only one: blocks.1.attn.z.0
LAST = "attention of the last block"  # of which one map a picture is compared
MEANINGS = {
    "attention": "How much each patch gives to the token that looks, in one block; by block and head.",
    "rollout": "What the token is made of in the end, if heads count alike and MLPs not at all; through all blocks.",
    "gradient_rollout": "The same, with each weight times what it does for the class that the model says.",
    "gradient_attention": "The last block’s weights times what each does for the class, as far as that is above zero.",
    "integrated_gradients": "What its pixels add to the class’s logit on the way from a plain picture to this one.",
    "occlusion": "What the class’s logit loses where the patch is covered.",
}


def headline(found: Sequence[Inside]) -> str:
    """What the page begins with: the part that costs most, and how many heads can go."""
    first = found[0].told
    if len(found) > 1:
        return f"Inside {first.title} and {found[1].told.title}: where they look, and what their answers are made of"
    effects = first.knockouts.get("knockouts", [])
    if not effects:
        return f"Inside {first.title}: where it looks, and what its answers are made of"
    told = [effect for effect in effects if effect["p_adjusted"] <= _SHOWN and effect["delta_top1"] < 0]
    if not told:
        alone = f"No part of {first.title} alone costs what could be told"
        return f"{alone} on {first.knockouts['images']:,} test images"
    worst = told[0]
    lost = f"Without {in_words(worst)}, {first.title} loses {-PERCENT * worst['delta_top1']:.1f} points of accuracy"
    if not first.curve:
        return lost
    return f"{lost}; {_gone(first.curve)}"


def _gone(curve: Mapping[str, Any]) -> str:
    """How many heads can go."""
    gone, heads = curve["removable"], len(curve["order"])
    told = f"{gone} of its {heads} heads can go" if gone else f"not one of its {heads} heads can go"
    return f"{told} before more than a point is lost"


def in_words(effect: Mapping[str, Any]) -> str:
    """What was knocked out: 'head 2 of block 1'."""
    block, number = f"block {effect['layer']}", effect["site"].rpartition(".")[2]
    if effect["kind"] in _PLAIN and effect["site"].count(".") > _PLAIN[effect["kind"]]:
        return str(effect["site"])  # of several in its block
    return {
        "head": f"head {number} of {block}",
        "attention": f"the attention of {block}",
        "mlp": f"the MLP of {block}",
        "cls": "its cls token",
        "register": f"register {number}",
        "pos_embed": "its positions",
        "patches": f"the {number.replace('_', ' ')} quarter of its patches",
    }[effect["kind"]]


def caveats(found: Sequence[Inside]) -> Iterator[str]:
    """What is to be kept in mind: what a map is, what was assumed of the weights, how numbers are kept."""
    yield (
        "Maps of attention say what a token takes from where, and not that it matters to the answer: knock-outs and "
        "covered patches ask that."
    )
    notes = dict.fromkeys(note for each in found for note in each.told.notes)
    yield from notes
    if any(max(each.told.pooled) > 1 for each in found):
        sides = max(max(each.told.pooled) for each in found)
        yield f"So that the page stays small, keys are means over {sides} × {sides} patches."
    if (gap := max(each.told.gap for each in found)) > _MUCH:
        missed = f"{gap:.1f} times its size" if gap > 1 else f"{percent(gap, 0)} of it"
        yield (
            f"Integrated gradients do not add up here: of one picture they miss the difference of logits by {missed}. "
            "Near a plain picture the model bends too sharply for the steps that were taken."
        )
    yield f"Shares of attention are kept in {STEPS}ths of the largest of their row."


def reasons(missing: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """One line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for what, why in missing.items():
        by_reason.setdefault(why, []).append(METHODS.get(what, what.replace("_", " ")))
    yield from (("; ".join(names), why) for why, names in by_reason.items())


def measured_on(found: Inside, models: int) -> str:
    """On what the knock-outs were measured, and how."""
    known = found.told.knockouts
    whose = f"{found.told.title}: e" if models > 1 else "E"
    return (
        f"{whose}ach part in turn replaced by {known['replacement']}, on {known['images']:,} test images, of which the "
        f"whole model gets {percent(known['top1'])} right. p is corrected for all {len(known['knockouts'])} parts."
    )


def in_other_places(told: InsideTold) -> str:
    """What becomes of the answers where every patch has the position of another."""
    known = told.shuffled
    return (
        f"{told.title} gets {percent(known['top1'])} of {known['images']:,} test images right, and "
        f"{percent(np.mean(known['shuffled_top1']))} where every patch has the position of another "
        f"({len(known['shuffled_top1'])} orders); {percent(np.mean(known['agreement']), 0)} of its answers stay what "
        "they are."
    )


def markdown(found: Inside) -> Iterator[str]:
    """What a record says, for a document: the parts that cost most, what heads and positions are worth, which map to
    believe.
    """
    told = found.told
    made, known = told.made, told.knockouts
    yield f"`{made['command']}`, {made['cpu']}; torch {made['torch']}; commit {str(made['commit'])[:7]}:"
    yield ""
    yield f"- {measured_on(found, 1)}"
    yield "- " + "; ".join(_effect_in_words(effect) for effect in known["knockouts"] if effect["kind"] != "head")
    shown = [effect for effect in known["knockouts"] if effect["kind"] == "head" and effect["p_adjusted"] <= _SHOWN]
    heads = len(told.curve["order"])
    yield f"- single heads: {len(shown)} of {heads} have an effect that can be told (p ≤ {_SHOWN}); {_gone(told.curve)}"
    yield f"- {in_other_places(told)}"
    areas = zip(told.methods, found.arrays["areas"].mean(-1).tolist(), strict=True)
    said = (f"{compared(name)} {covered:.2f} and {uncovered:.2f}" for name, (covered, uncovered) in areas)
    yield f"- areas of the class's probability as patches are covered, and uncovered: {'; '.join(said)}"


def _effect_in_words(effect: Mapping[str, Any]) -> str:
    """'without its positions −47.9 points [−51.2, −44.6]', and that it cannot be told where so."""
    points = (f"{PERCENT * effect[name]:+.1f}".replace("-", "−") for name in ("delta_top1", "low", "high"))
    delta, low, high = points
    told = "" if effect["p_adjusted"] <= _SHOWN else ", which cannot be told from nothing"
    return f"without {in_words(effect)} {delta} points [{low}, {high}]{told}"


def compared(method: str) -> str:
    """What a method is called where one map of a picture is meant."""
    return LAST if method == "attention" else METHODS[method]


def percent(share: Any, digits: int = 1) -> str:
    """A share as people read it."""
    return f"{PERCENT * share:.{digits}f} %"
