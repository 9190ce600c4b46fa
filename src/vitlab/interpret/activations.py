"""Activations seen and changed while a model runs, with nothing in the model itself.

    with edit(model, {"blocks.3.attn.z": lambda z: zeroed(z, head=2)}):
        logits = model(images)

    capture(model, images, "blocks.*.attn.weights", layers=[3], queries=[0])    {"blocks.3.attn.weights": [B, H, 1, N]}

An edit stands around the calls of its module while the block runs, and is gone after it, whatever happens there. Of
several at one place the first acts first, and a capture inside of an edit sees what that made.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from vitlab.base.errors import SpecError
from vitlab.interpret._given import check_images, check_not_compiled, check_numbers
from vitlab.interpret.sites import Part, Site, found, layers_of, sites
from vitlab.models.sites import wrap
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.nn.attention._base import Attention

Edit = Callable[[Tensor], Tensor]
_BATCH = 8  # images at once: what is captured is far larger than what the model needs at a time


@contextmanager
def edit(model: ViT, edits: Mapping[str, Edit]) -> Iterator[None]:
    """Have each function change the activation of its name, or of all that its pattern names, `blocks.*.mlp`.

    A function is given the activation and returns one of the same shape. Changed weights act on the values by the
    definition, z = weights · v. Raises SpecError for a site that is not there, a compiled model, and another shape.
    """
    with _standing(model, ((change, found(model, pattern)) for pattern, change in edits.items())):
        yield


@contextmanager
def _standing(model: ViT, changes: Iterable[tuple[Edit, Mapping[str, Site]]]) -> Iterator[None]:
    check_not_compiled(model)
    with ExitStack() as ending:
        for change, places in changes:
            for name, site in places.items():
                ending.callback(added(site, partial(_changed, name, change)))
        yield


@contextmanager
def capturing(model: ViT, names: str | Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """A dictionary that has the activations of these names once the model has run, on its device, with gradients."""
    caught: dict[str, Tensor] = {}

    def catch(name: str, activation: Tensor) -> Tensor:
        caught[name] = activation
        return activation

    places = found(model, names)
    with _standing(model, ((partial(catch, name), {name: site}) for name, site in places.items())):
        yield caught


@torch.no_grad()
def capture(
    model: ViT,
    images: Tensor,
    names: str | Sequence[str],
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    queries: Sequence[int] | None = None,
) -> dict[str, Tensor]:
    """images [B, C, height, width] -> the activations of some names or patterns, on the CPU, each [B, ...].

    Of some `layers`, `heads` and `queries` alone where that is asked: `queries` are tokens, prefix tokens first, of
    what is [B, H, N, ...]; -1 is the last. The model runs on a few images at once, so that no more than what is
    returned has to be kept. Raises SpecError for a site that is not there, or is not reached.
    """
    check_images(model, images)
    wanted = _of_layers(found(model, names), layers_of(model, layers))
    chosen = {name: _Chosen(site, heads, queries) for name, site in wanted.items()}
    kept: dict[str, Tensor] = {}
    for start in range(0, len(images), _BATCH):
        with capturing(model, list(wanted)) as caught:
            model(images[start : start + _BATCH])
        _check_reached(wanted, caught)
        for name, activation in caught.items():
            few = chosen[name](activation)
            if name not in kept:  # one piece of memory for all, so that they need not be joined
                kept[name] = few.new_empty((len(images), *few.shape[1:]), device="cpu")
            kept[name][start : start + len(few)] = few
    return kept


@torch.no_grad()
def shapes(spec: ViTSpec) -> dict[str, tuple[int, ...]]:
    """Of every site of such a model the shape for one image, [1, ...]; no number is computed."""
    with torch.device("meta"):
        model, images = ViT(spec), torch.zeros(1, spec.in_chans, *spec.img_size)
        with capturing(model, list(sites(model))) as caught:
            model(images)
    return {name: tuple(caught[name].shape) for name in sites(model) if name in caught}


class _Chosen:
    """Some heads and some queries of an activation."""

    def __init__(self, site: Site, heads: Sequence[int] | None, queries: Sequence[int] | None):
        self.heads = list(heads) if heads is not None and site.has_heads else None
        self.queries = list(queries) if queries is not None and site.part in ("q", "z", "weights") else None

    def __call__(self, activation: Tensor) -> Tensor:
        """[B, H, N, ...] -> [B, heads, queries, ...]"""
        if self.heads is not None:
            check_numbers("heads", self.heads, activation.shape[1])
        if self.queries is not None:
            check_numbers("queries", self.queries, activation.shape[2])
        some = activation if self.heads is None else activation[:, self.heads]
        return some if self.queries is None else some[:, :, self.queries]


def _of_layers(known: Mapping[str, Site], layers: Sequence[int]) -> dict[str, Site]:
    """Those of some blocks, and of no block."""
    chosen = set(map(str, layers))
    return {
        name: site for name, site in known.items() if not name.startswith("blocks.") or name.split(".")[1] in chosen
    }


def _check_reached(wanted: Mapping[str, Site], caught: Mapping[str, Tensor]) -> None:
    if missed := [name for name in wanted if name not in caught]:
        raise SpecError(f"{missed[0]}: this model's forward pass does not call it")


def _changed(name: str, change: Edit, activation: Tensor) -> Tensor:
    after = change(activation)
    if not isinstance(after, Tensor):
        raise SpecError(f"the edit of {name} returned a {type(after).__name__}, and must return the activation")
    if after.shape != activation.shape:
        raise SpecError(f"the edit of {name} returned {list(after.shape)}, and must return {list(activation.shape)}")
    return after


class _Around:
    """Stands around the calls of one module with all its edits, while there are any; the first acts first."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.edits: list[tuple[Part, Edit]] = []
        self.end = wrap(module, self)

    def add(self, part: Part, change: Edit) -> Callable[[], None]:
        """One more; what is returned takes it away again."""
        one = (part, change)
        self.edits.append(one)

        def take_away() -> None:
            self.edits.remove(one)
            if not self.edits:
                self.end()

        return take_away

    def __call__(self, call: Callable[..., Tensor], *arguments: Any, **named: Any) -> Tensor:
        if isinstance(self.module, Attention):
            return self._attend(self.module, call, *arguments, **named)
        first, *rest = arguments
        return self._of("out", call(self._of("in", first), *rest, **named))

    def _attend(
        self,
        attention: Attention,
        call: Callable[..., Tensor],
        q: Tensor,
        k: Tensor,
        v: Tensor,
        bias: Tensor | None = None,
        keys: Tensor | None = None,
    ) -> Tensor:
        q, k, v = self._of("q", q), self._of("k", k), self._of("v", v)
        if not any(part == "weights" for part, _ in self.edits):
            return self._of("z", call(q, k, v, bias, keys))
        weights = attention.weights(q, k, bias)
        after = self._of("weights", weights)
        return self._of("z", call(q, k, v, bias, keys) if after is weights else after @ v)

    def _of(self, part: Part, activation: Tensor) -> Tensor:
        for each, change in self.edits:
            activation = change(activation) if each == part else activation
        return activation


def added(site: Site, change: Edit) -> Callable[[], None]:
    """Have a function change a site from now on; what is returned ends that."""
    there = getattr(vars(site.module).get("forward"), "func", None)
    around = there if isinstance(there, _Around) else _Around(site.module)
    return around.add(site.part, change)
