"""Depth, width, MLP width, patch size: what does a ViT gain from each?

The ViT paper's study of the transformer's shape (arXiv 2010.11929, appendix D.2) changes one of them at a time from
depth 8, D 1024, MLP 2048, patch 32. Here the base is R0's ViT at depth 8, D 192, MLP 384, patch 4, and each is halved
and doubled. The width changes with the number of attention heads and without the MLP's, which is a factor of its own;
together change depth, both widths and the heads (whether the paper's "all" includes the patch size is unknown).

    vitlab study shape                 79 runs, 2.2e17 FLOPs; equal steps
    vitlab study shape:equal_flops     79 runs, 1.2e17 FLOPs; equal FLOPs
    vitlab study shape:digits          79 runs, 7.1e12 FLOPs; for a laptop

Equal steps ask what a larger model learns from the same images, equal FLOPs whether it is worth its price: a model of
half the cost then trains twice as long. Published on ImageNet, 5-shot: depth gains most (to 64 layers, less after 16),
smaller patches help without parameters, width gains least. The learning rate is the same everywhere, which may favour
the base.
"""

from vitlab.recipes import changed, recipe
from vitlab.study.design import one_at_a_time
from vitlab.study.design._base import Factor
from vitlab.study.spec import StudySpec, choice
from vitlab.train.spec import RunSpec

QUESTION = "What does a ViT gain from depth, width, MLP width and smaller patches?"
Changes = dict[float, dict[str, float]]  # settings by how much more there is of something
WARM_UP = 300  # steps, also of the shortest training among equal FLOPs


def study() -> StudySpec:
    """CIFAR-10, 11,720 steps for every shape."""
    return StudySpec(QUESTION, _base(), _shapes(_base()))


def equal_flops() -> StudySpec:
    """CIFAR-10, every shape with the FLOPs of 11,720 steps of the base."""
    return StudySpec(QUESTION, _base(), _shapes(_base()), equal="flops")


def digits() -> StudySpec:
    """The digits' small ViT, equal steps: depth 1 to 4, D 16 to 64, patches of 1 to 4."""
    base = recipe("digits_small")
    return StudySpec(QUESTION, base, _shapes(base))


def _base() -> RunSpec:
    return changed(recipe("r0_cifar10_tenth"), {"model.depth": 8, "optim.schedule.warmup_steps": WARM_UP})


def _shapes(base: RunSpec) -> one_at_a_time.Spec:
    """Half and double of everything that the base has."""
    model = base.model
    width, mlp_width, patch = model.embed_dim, round(model.embed_dim * model.mlp_ratio), model.patch_size[0]
    depth: Changes = {times: {"model.depth": round(times * model.depth)} for times in (0.5, 2)}
    wide: Changes = {
        times: {"model.embed_dim": round(times * width), "model.num_heads": round(times * model.num_heads)}
        for times in (0.5, 2)
    }
    return one_at_a_time.Spec(
        (
            _factor("depth", model.depth, depth),
            _factor("width", width, {t: wide[t] | {"model.mlp_ratio": model.mlp_ratio / t} for t in wide}),
            _factor("MLP width", mlp_width, {t: {"model.mlp_ratio": model.mlp_ratio * t} for t in (0.5, 2)}),
            _factor("patch size", patch, {t: {"model.patch_size": round(t * patch)} for t in (2, 0.5)}),
            choice(
                "all three",
                {"unchanged": {}, "halved": depth[0.5] | wide[0.5], "doubled": depth[2] | wide[2]},
                says={
                    "halved": "halving depth, width and MLP width together",
                    "doubled": "doubling depth, width and MLP width together",
                },
            ),
        )
    )


def _factor(name: str, value: int, changes: Changes) -> Factor:
    """The base's value, and what is some times as much."""
    return choice(name, {str(value): {}} | {str(round(times * value)): settings for times, settings in changes.items()})
