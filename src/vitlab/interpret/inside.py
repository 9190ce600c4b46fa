"""All that a page about the inside of a model shows, of a few pictures: looked at once, kept in one record.

What a model has not (attention, a head, positions) is left out by name, and nothing else with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from vitlab.base.env import environment
from vitlab.base.errors import UserError
from vitlab.checkpoints.trained import EquippedViT
from vitlab.interpret import attention, attribution, positions, tokens
from vitlab.interpret._given import check_classes
from vitlab.interpret.cka import FEWEST, cka
from vitlab.interpret.grid import Grid, grid_of
from vitlab.interpret.logits import logit_attribution, logit_lens
from vitlab.interpret.rollout import rollout
from vitlab.nn.mixer._base import Mixer
from vitlab.records.inside import Inside, InsideTold, quantised

Batches = Callable[[], Iterable[tuple[Tensor, Tensor]]]
_MOST = 4_000_000  # bytes of attention in a page
_POOLS = (1, 2, 4, 8, 16)  # patches a side of which the mean is kept
_ALIKE = 256  # images of which the likeness of layers is estimated
_NAMED = 100  # classes, beyond which a logit lens would fill the page


class Shown(NamedTuple):
    """The pictures of a page: prepared [B, C, height, width], as bytes [B, height, width, 1 or 3], by name, and with
    the class that each has, empty where it is not known.
    """

    images: Tensor
    pixels: np.ndarray
    names: tuple[str, ...]
    labels: tuple[str, ...]


def look_inside(
    model: EquippedViT, given: Shown, title: str, test: Batches | None = None, measured: Mapping[str, Any] = {}
) -> Inside:
    """What goes on in a model for these pictures. Of `test` images, prepared and with labels, comes what needs many:
    how alike layers are, and what shuffled positions cost. `measured` are knock-outs, as JSON has them.
    """
    grid, missing, arrays, parts = grid_of(model), dict[str, str](), dict[str, np.ndarray](), list[str]()
    pooled = _pooled(model, grid, len(given.images))
    keys = (-(-grid.rows // pooled), -(-grid.columns // pooled))
    looks: dict[str, Callable[[], dict[str, np.ndarray]]] = {
        "attention": lambda: _attention(model, given.images, grid, keys),
        "rollout": lambda: _rows("rollout", rollout(model, given.images), grid, keys),
        "distance": lambda: {"distance": _numbers(attention.attention_distance(model, given.images).mean(1))},
        "entropy": lambda: {"entropy": _numbers(attention.attention_entropy(model, given.images).mean(1))},
        "norms": lambda: {"norms": _norms(tokens.token_norms(model, given.images), grid.prefix)},
        "colours": lambda: {"colours": _bytes(tokens.patch_colours(model, given.images))},
        "positions": lambda: _positions(model),
        "lens": lambda: _lens(model, given.images),
        "logit_parts": lambda: _parts(model, given.images, parts),
        "cka": lambda: _likeness(model, test),
    }
    for name, look in looks.items():
        with _or_missing(name, missing):
            arrays |= look()
    methods = _relevance(model, given.images, missing, arrays)
    told = InsideTold(
        title=title,
        model=model.spec.told(),
        classes=model.class_names,
        names=given.names,
        labels=given.labels,
        says=_says(model, given.images),
        grid=(grid.rows, grid.columns),
        img_size=model.spec.img_size,
        own=own_tokens(model),
        reads="cls" if model.spec.pool.needs_cls_token else "patches",
        keys=keys,
        pooled=(pooled, pooled),
        parts=tuple(parts),
        methods=methods,
        missing=missing,
        notes=model.notes,
        shuffled=_shuffled(model, test),
        made=_made(),
        layers=_layers(model),
        gap=_gap(model, given.images, methods, arrays),
        **measured,
    )
    return Inside(told, {"pictures": given.pixels, **arrays})


def shown(model: EquippedViT, images: Tensor, names: tuple[str, ...], labels: tuple[str, ...]) -> Shown:
    """Prepared images with what people see of them: the pixels that they were before they were normalised."""
    before = model.preprocessing
    mean, std = (torch.tensor(values)[:, None, None] for values in (before.mean, before.std))
    pixels = _bytes(images.cpu().float() * std + mean).transpose(0, 2, 3, 1)
    coloured = pixels if pixels.shape[-1] in (1, 3) else pixels.mean(-1, keepdims=True).astype(np.uint8)
    return Shown(images, coloured, names, labels)


def own_tokens(model: EquippedViT) -> tuple[str, ...]:
    """The names of the tokens before the patches, in their order."""
    spec = model.spec
    first = [name for name, there in (("cls", spec.cls_token), ("distillation", spec.dist_token)) if there]
    return (*first, *(f"register {number}" for number in range(spec.num_registers)))


@contextmanager
def _or_missing(name: str, missing: dict[str, str]) -> Iterator[None]:
    """What the model has not is said, and the page does without."""
    try:
        yield
    except UserError as refused:
        missing[name] = str(refused)


def _pooled(model: EquippedViT, grid: Grid, images: int) -> int:
    """Of how many patches a side attention is kept as one, so that the page stays small."""
    rows = images * len(model.blocks) * model.spec.num_heads * grid.num_tokens
    for side in _POOLS:
        keys = grid.prefix + -(-grid.rows // side) * -(-grid.columns // side)
        if rows * keys <= _MOST:
            return side
    return _POOLS[-1]


def _attention(model: EquippedViT, images: Tensor, grid: Grid, keys: tuple[int, int]) -> dict[str, np.ndarray]:
    every = [attention.attention_maps(model, image[None]) for image in images]  # one at a time: all would be large
    kept = [_rows("attention", maps[:, 0], grid, keys) for maps in every]
    return {name: np.stack([each[name] for each in kept]) for name in kept[0]}


def _rows(name: str, weights: Tensor, grid: Grid, keys: tuple[int, int]) -> dict[str, np.ndarray]:
    """Rows of shares [..., N, N], patches among the keys pooled, and in steps of their largest."""
    own, patches = weights[..., : grid.prefix], grid.fold(weights)
    few = adaptive_avg_pool2d(patches.flatten(0, -3), keys).flatten(1).unflatten(0, weights.shape[:-1])
    steps, most = quantised(torch.cat([own, few], dim=-1).double().numpy())
    return {name: steps, f"{name}_most": most}


def _norms(lengths: Tensor, prefix: int) -> np.ndarray:
    """[depth + 1, B, N] -> [depth + 1, 2 + prefix]"""
    patches = lengths[:, :, prefix:].flatten(1)
    own = lengths[:, :, :prefix].mean(1)
    return _numbers(torch.cat([patches.quantile(0.5, 1)[:, None], patches.amax(1)[:, None], own], dim=1))


def _positions(model: EquippedViT) -> dict[str, np.ndarray]:
    alike, by_distance = positions.position_similarity(model), positions.similarity_by_distance(model)
    if alike is None or by_distance is None:
        raise UserError(f"pos_embed={model.spec.pos_embed.name} says nothing that could be alike without a query")
    distance = {"position_distance": _numbers(by_distance.distance)}
    return {"positions": _numbers(alike), "position_similarity": _numbers(by_distance.similarity), **distance}


def _lens(model: EquippedViT, images: Tensor) -> dict[str, np.ndarray]:
    check_classes(model, "class to explain")
    if len(model.class_names) > _NAMED:
        raise UserError(f"{len(model.class_names)} classes are too many to be followed through the layers")
    return {"lens": _numbers(logit_lens(model, images).softmax(-1))}


def _parts(model: EquippedViT, images: Tensor, parts: list[str]) -> dict[str, np.ndarray]:
    """What adds up to a logit; the names of that are put into `parts`."""
    check_classes(model, "class to explain")
    found = logit_attribution(model, images)
    parts += found.parts
    return {
        "logit_parts": _numbers(found.values),
        "logits": _numbers(found.logits),
        "logit_classes": found.classes.numpy(),
    }


def _relevance(
    model: EquippedViT, images: Tensor, missing: dict[str, str], arrays: dict[str, np.ndarray]
) -> tuple[str, ...]:
    """The methods that the model has; what they say, and how well that is borne out, go to the other arrays."""
    found, areas = dict[str, np.ndarray](), list[np.ndarray]()
    for method in get_args(attribution.Method):
        with _or_missing(method, missing):
            check_classes(model, "class to explain")
            relevant = attribution.relevance(model, images, method)
            curves = attribution.deletion_insertion(model, images, relevant)
            found[method] = _numbers(relevant.flatten(1))
            areas.append(_numbers(torch.stack([curves.deletion_area, curves.insertion_area])))
    if found:
        arrays |= {"relevance": np.stack(list(found.values())), "areas": np.stack(areas)}
    return tuple(found)


def _likeness(model: EquippedViT, test: Batches | None) -> dict[str, np.ndarray]:
    if test is None:
        raise UserError("no test images were given, of which layers could be compared")
    batches, images = [], 0
    for pictures, _ in test():
        batches += [pictures] if len(pictures) >= FEWEST else []
        images += len(pictures)
        if images >= _ALIKE:
            break
    return {"cka": _numbers(cka(model, batches))}


def _shuffled(model: EquippedViT, test: Batches | None) -> dict[str, Any]:
    return {} if test is None or not model.spec.num_classes else positions.shuffle_positions(model, test())._asdict()


def _layers(model: EquippedViT) -> tuple[str, ...]:
    """What there is a map of: '0', '1' …; of blocks with several mixers '0.0', '0.1' …"""
    several = [sum(isinstance(module, Mixer) for module in block.modules()) for block in model.blocks]
    return tuple(
        f"{block}" if count == 1 else f"{block}.{mixer}"
        for block, count in enumerate(several)
        for mixer in range(count)
    )


def _gap(model: EquippedViT, images: Tensor, methods: Sequence[str], arrays: Mapping[str, np.ndarray]) -> float:
    """How far integrated gradients are from adding up, of the picture where they are furthest."""
    if "integrated_gradients" not in methods:
        return 0.0
    found = torch.from_numpy(arrays["relevance"][methods.index("integrated_gradients")])
    return float(attribution.integration_gap(model, images, found).max())


def _made() -> dict[str, Any]:
    there = environment()
    cpu, version = there["hardware"]["cpu"], there["versions"].get("torch")
    return {"command": there["command"], "cpu": cpu, "torch": version, "commit": there["commit"]}


@torch.no_grad()
def _says(model: EquippedViT, images: Tensor) -> tuple[str, ...]:
    """'cat, 61 %', or nothing for a model without classes."""
    if not model.spec.num_classes:
        return ("",) * len(images)
    shares = model(images).softmax(-1).max(-1)
    return tuple(
        f"{model.class_names[number]}, {share:.0%}"
        for share, number in zip(shares.values.tolist(), shares.indices.tolist(), strict=True)
    )


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().cpu().float().numpy()


def _bytes(values: Tensor) -> np.ndarray:
    """From 0 to 1 -> from 0 to 255"""
    return (values * 255).round().clamp(0, 255).to(torch.uint8).numpy()
