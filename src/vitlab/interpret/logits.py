"""Direct logit attribution: what each head, each MLP and the embedding add to a class's logit, straight to the head.

Where blocks only add to the tokens, what the head reads is a sum: the embedding, and the output of every branch. With
the norms' divisors held fixed (`interpret.frozen`) the way from there to a logit is affine, so a logit is a sum, too,
of ⟨g, part⟩ over all parts and of what biases give; g is the logit's gradient at the sum. What a part does to later
blocks is not in it: the knock-outs tell that. (Elhage et al. 2021, "A mathematical framework for transformer circuits",
and Gandelsman et al., arXiv 2310.05916, on vision transformers.)
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from vitlab.base.errors import UserError
from vitlab.interpret._given import check_classes, check_images, chosen_classes
from vitlab.interpret.activations import added, capture
from vitlab.interpret.frozen import frozen_norms
from vitlab.interpret.sites import Site, beginnings
from vitlab.interpret.tokens import stream
from vitlab.models.vit import ViT
from vitlab.nn.block._base import Block

_NEAR = 1e-3  # of the largest logit: what rounding in single precision may come to, and no function that bends


class Attribution(NamedTuple):
    """What parts add to a logit. `values` [B, parts] add up to `logits` [B], of `classes` [B]. Parts are `embed`,
    `blocks.3.attn.z.0` (a head), `blocks.3.mlp` …, and `bias`.
    """

    parts: tuple[str, ...]
    values: Tensor
    logits: Tensor
    classes: Tensor


def logit_attribution(model: ViT, images: Tensor, classes: Sequence[int] | Tensor | None = None) -> Attribution:
    """images [B, C, height, width] -> what every part adds to one logit of each; without `classes` of the likeliest.

    Raises UserError, by name, for a model whose blocks do more than add, or whose head bends what it reads.
    """
    check_images(model, images)
    check_classes(model, "logit")
    _check_adds(model)
    known = None if classes is None else chosen_classes(torch.empty(len(images), model.spec.num_classes), classes)
    targets = [None] * len(images) if known is None else known.tolist()
    single = [_of_image(model, image[None], target) for image, target in zip(images, targets, strict=True)]
    joined = (torch.cat([getattr(each, name) for each in single]) for name in ("values", "logits", "classes"))
    return Attribution(single[0].parts, *joined)


@torch.no_grad()
def logit_lens(model: ViT, images: Tensor) -> Tensor:
    """images [B, C, height, width] -> [depth + 1, B, Y], on the CPU: the logits if the head read the tokens that enter
    the first block, those after it, … and after the last, which are the model's own.
    """
    check_classes(model, "logit")
    where = next(model.parameters()).device
    caught = capture(model, images, stream(model))
    return torch.stack([model.classify(model.norm(tokens.to(where))).cpu() for tokens in caught.values()])


class _Pass(NamedTuple):
    """What one pass through the model was made of, in the order of the blocks."""

    first: Tensor  # tokens into the first block [1, N, D]
    stream: Tensor  # out of the last
    positions: Tensor  # what positions add in between
    branches: list[list[Tensor]]  # of each block what is added
    sources: list[dict[str, Tensor]]  # of each block what that begins with, cut off from what it was computed of


def _run(model: ViT, image: Tensor, silent: bool) -> _Pass:
    """With `silent` every source is zero: then a branch gives what its biases make of nothing."""
    caught: dict[str, Tensor] = {}
    branches: list[list[Tensor]] = [[] for _ in model.blocks]
    sources: list[dict[str, Tensor]] = [{} for _ in model.blocks]

    def catch(name: str, activation: Tensor) -> Tensor:
        caught[name] = activation.detach()
        return activation

    def branch(index: int, activation: Tensor) -> Tensor:
        branches[index].append(activation)
        return activation

    def source(index: int, name: str, activation: Tensor) -> Tensor:
        cut = torch.zeros_like(activation) if silent else activation.detach().requires_grad_()
        sources[index][name] = cut
        return cut

    with ExitStack() as ending:
        for name, site in beginnings(model).items():
            ending.callback(added(site, partial(source, int(name.split(".")[1]), name)))
        for index, block in enumerate(_blocks(model)):
            for module in block.added().values():
                ending.callback(added(Site(module, "out"), partial(branch, index)))
            for name, part in ((f"in {index}", "in"), (f"out {index}", "out")):
                ending.callback(added(Site(block, part), partial(catch, name)))  # type: ignore[arg-type]
        model(image)
    depth = len(model.blocks)
    between = [caught[f"in {index}"] - caught[f"out {index - 1}"] for index in range(1, depth)]
    nothing = torch.zeros_like(caught["in 0"])
    return _Pass(caught["in 0"], caught[f"out {depth - 1}"], sum(between, nothing), branches, sources)


def _blocks(model: ViT) -> list[Block]:
    return [block for block in model.blocks if isinstance(block, Block)]


def _check_adds(model: ViT) -> None:
    if not all(block.added() for block in _blocks(model)):
        raise UserError(
            f"block={model.spec.block.name} does more than add to its tokens, so a logit is no sum of parts"
        )


def _of_image(model: ViT, image: Tensor, target: int | None) -> Attribution:
    with torch.enable_grad(), frozen_norms(model) as divisors:
        run = _run(model, image, silent=False)
        logit, chosen, gradient = _read(model, run.stream, target)
    with torch.no_grad(), frozen_norms(model, divisors):
        silent = _run(model, image, silent=True)
        constant = model.classify(model.norm(torch.zeros_like(run.stream)))[0, chosen]
    values: dict[str, Tensor] = {"embed": (gradient * run.first).sum()}
    if run.positions.any():
        values["positions"] = (gradient * run.positions).sum()
    for branches, sources in zip(run.branches, run.sources, strict=True):
        values |= _shares(gradient, branches, sources)
    values["bias"] = constant + sum((gradient * each).sum() for block in silent.branches for each in block)
    together = torch.stack(list(values.values())).detach()
    if not torch.allclose(together.sum(), logit, rtol=0, atol=_NEAR * max(1.0, float(logit.abs()))):
        reads = f"pool={model.spec.pool.name}, head={model.spec.head.name}, norm={model.spec.norm.name}"
        raise UserError(f"{reads}: what is read of the tokens is bent on its way, so the logit is no sum of parts")
    return Attribution(tuple(values), together[None].cpu(), logit[None].cpu(), torch.tensor([chosen]))


def _read(model: ViT, stream: Tensor, target: int | None) -> tuple[Tensor, int, Tensor]:
    """A logit, of which class, and its gradient at what the head's way begins with."""
    stream = stream.detach().requires_grad_()
    logits = model.classify(model.norm(stream))[0]
    chosen = int(logits.argmax()) if target is None else target
    (gradient,) = torch.autograd.grad(logits[chosen], stream)
    return logits[chosen].detach(), chosen, gradient


def _shares(gradient: Tensor, branches: list[Tensor], sources: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """What every source of a block gives, through the branches that begin with it."""
    given = torch.stack([(gradient * branch).sum() for branch in branches]).sum()
    slopes = torch.autograd.grad(given, list(sources.values()))
    for (name, tensor), slope in zip(sources.items(), slopes, strict=True):
        if name.endswith(".z"):
            yield from ((f"{name}.{head}", (slope[:, head] * tensor[:, head]).sum()) for head in range(tensor.shape[1]))
        else:
            yield name, (slope * tensor).sum()
