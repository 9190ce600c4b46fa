"""The cost of a model, component by component, measured on the meta device: no weights, no memory, no arithmetic.

    num_params          learned numbers
    flops               one image forward, 2 per multiply-add: matrix products, convolutions and attention's products
    activation_bytes    what one more image in the batch makes a training step keep for its backward pass, in float32
    checkpointed_bytes  the same at most at once where blocks recompute their activations (gradient checkpointing)

Nothing here knows a formula of a variant: the model runs on shapes alone, and every product and every kept tensor is
charged to the component at work. Attention runs in its explicit form, which hides nothing inside a fused operation;
a fused kernel multiplies as much and keeps less.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar
from weakref import ReferenceType, ref

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from vitlab import models, nn
from vitlab.base.errors import SpecError
from vitlab.base.kept import keep_answer, read_answer
from vitlab.base.spec import from_dict, to_dict
from vitlab.models.sites import Call, sites, wrap
from vitlab.models.spec import ViTSpec
from vitlab.models.vit import ViT
from vitlab.nn.kernel import use_kernel
from vitlab.nn.pos_embed._base import PosEmbed

_Answer = TypeVar("_Answer", bound="Cost | _Size")

# `tokens` is also the work of the model itself, `blocks.residual` that of a block itself: layer scale, drop path, sums
ROWS = (
    *("patch_embed", "pos_embed", "tokens"),
    *("blocks.norm", "blocks.attn", "blocks.mlp", "blocks.residual"),
    *("norm", "pool", "head"),
)
_PARTS_OF_MODEL = {
    "cls_token": "tokens",
    "dist_token": "tokens",
    "reg_token": "tokens",
    "pos_drop": "pos_embed",
    "fc_norm": "norm",
    "head_dist": "head",
}


@dataclass(frozen=True)
class ComponentCost:
    """One component's share; `blocks.*` are sums over the blocks."""

    name: str
    num_params: int
    flops: int
    activation_bytes: int


@dataclass(frozen=True)
class _Size:
    num_params: int


@dataclass(frozen=True)
class Cost:
    """The totals, which are the sums of the components."""

    num_params: int
    flops: int
    activation_bytes: int
    checkpointed_bytes: int
    components: tuple[ComponentCost, ...]

    @property
    def step_flops(self) -> int:
        """Of one image in a training step: forward, and a backward pass that multiplies twice, once for the inputs
        and once for the weights.
        """
        return 3 * self.flops


@cache
def cost(spec: ViTSpec) -> Cost:
    """Parameters, FLOPs and activation memory of the model that `spec` describes."""
    return _kept(Cost, spec, _measured)


@cache
def num_params(spec: ViTSpec) -> int:
    """`cost(spec).num_params` without the rest: a model is built, and none is run."""
    return _kept(_Size, spec, _counted).num_params


def _kept(kind: type[_Answer], spec: ViTSpec, find: Callable[[ViTSpec], _Answer]) -> _Answer:
    """What `find` says of `spec`, or has said: only to load what PyTorch needs on the meta device takes seconds.

    Of parts of somebody's own, which may change under the same name, nothing is kept.
    """
    if not all(part.shipped for part in spec.parts()):
        return find(spec)
    question = [kind.__name__, torch.__version__, _source(), to_dict(spec)]
    try:
        return from_dict(kind, read_answer("costs", question) or {})
    except SpecError:  # never asked, or not what was kept
        answer = find(spec)
        keep_answer("costs", question, asdict(answer))
        return answer


@cache
def _source() -> str:
    """A hash of the files that models are made of: whoever changes one asks anew."""
    files = sorted(file for package in (models, nn) for file in Path(package.__path__[0]).rglob("*.py"))
    return hashlib.blake2b(b"".join(file.read_bytes() for file in files), digest_size=8).hexdigest()


def _measured(spec: ViTSpec) -> Cost:
    # Two and three images, because PyTorch lays a batch of one out differently: the difference is what one more adds.
    one, two, three = (_Meter(spec, num_images) for num_images in (1, 2, 3))
    names = ROWS + tuple(name for name in one.num_params if name not in ROWS)
    kept = {name: three.kept_bytes[name] - two.kept_bytes[name] for name in names}
    rows = tuple(ComponentCost(name, one.num_params[name], one.flops[name], kept[name]) for name in names)
    in_blocks = sum(kept[name] for name in names if name.startswith("blocks."))
    inputs = spec.depth * 4 * spec.dims().num_tokens * spec.embed_dim
    return Cost(
        num_params=sum(row.num_params for row in rows),
        flops=sum(row.flops for row in rows),
        activation_bytes=sum(kept.values()),
        checkpointed_bytes=sum(kept.values()) - in_blocks + inputs + in_blocks // spec.depth,
        components=rows,
    )


def _counted(spec: ViTSpec) -> _Size:
    with torch.device("meta"):
        return _Size(sum(parameter.numel() for parameter in ViT(spec).parameters()))


def component_of(path: str) -> str:
    """The row that a parameter or module belongs to, by its path: `blocks.3.norm1.weight` -> `blocks.norm`."""
    first, *rest = path.split(".")
    if first == "blocks":
        return f"blocks.{_part_of_block(rest[1]) if len(rest) > 1 else 'residual'}"
    return _PARTS_OF_MODEL.get(first, first)


def _part_of_block(name: str) -> str:
    """attn and mlp themselves; norm1, norm2 and whatever norms a variant adds are its norms."""
    return name if name in ("attn", "mlp") else "norm" if name.startswith("norm") else "residual"


class _Meter:
    """One forward pass of `num_images`, and what each component did in it."""

    def __init__(self, spec: ViTSpec, num_images: int):
        with torch.device("meta"):
            model = ViT(spec)
            images = torch.zeros(num_images, spec.in_chans, *spec.img_size)
            keys = torch.zeros(num_images, dtype=torch.int64)  # dropout and drop path act, so their masks are kept
        self.num_params = Counter[str]()
        for path, parameter in model.named_parameters():
            self.num_params[component_of(path)] += parameter.numel()
        self.flops, self.kept_bytes = Counter[str](), Counter[str]()
        self.at_work = ["tokens"]
        self.counter, self.charged_flops = FlopCounterMode(display=False), 0
        self.saved: list[ReferenceType[_Saved]] = []
        use_kernel(model, "explicit")
        self._watch(model)
        # the FLOPs are those of one image; the passes of more tell of memory, and counting slows them down
        counting = self.counter if num_images == 1 else nullcontext()
        with counting, saved_tensors_hooks(self._save, _never_unpacked):
            outputs = model.outputs(images, keys)
            self._charge_flops()
        self._charge_kept_bytes((images, *model.parameters(), *model.buffers()))
        del outputs  # until here they held the graph, and the graph what was saved in it

    def _watch(self, model: ViT) -> None:
        """Have every component announce itself when it begins and ends."""
        for path, module in sites(model).items():
            wrap(module, partial(self._announced, component_of(path)))
        for module in model.modules():
            if isinstance(module, PosEmbed):  # works in three methods, called from the stem and from inside attention
                for method in ("add", "rotate", "bias"):
                    wrap(module, partial(self._announced, "pos_embed"), method)

    def _announced(self, component: str, call: Call, *arguments: Any, **named: Any) -> Any:
        self._charge_flops()
        self.at_work.append(component)
        result = call(*arguments, **named)
        self._charge_flops()
        self.at_work.pop()
        return result

    def _charge_flops(self) -> None:
        total = self.counter.get_total_flops()
        self.flops[self.at_work[-1]] += total - self.charged_flops
        self.charged_flops = total

    def _save(self, tensor: Tensor) -> "_Saved":
        saved = _Saved(tensor.detach(), self.at_work[-1])
        self.saved.append(ref(saved))
        return saved

    def _charge_kept_bytes(self, given: Iterable[Tensor]) -> None:
        """Charge each piece of memory that the graph still holds to the component that saved it first."""
        known = {_memory(tensor) for tensor in given}
        for saved in (reference() for reference in self.saved):
            if saved is not None and _memory(saved.tensor) not in known:
                known.add(_memory(saved.tensor))
                self.kept_bytes[saved.component] += saved.tensor.untyped_storage().nbytes()


@dataclass(frozen=True, eq=False)
class _Saved:
    """A tensor saved for the backward pass. Only the graph holds it, so it is gone where nothing leads back."""

    tensor: Tensor
    component: str


def _memory(tensor: Tensor) -> int:
    """What views of one piece of memory have in common; on the meta device they have no address."""
    return tensor.untyped_storage()._cdata


def _never_unpacked(saved: _Saved) -> Tensor:
    raise AssertionError("a model on the meta device has no backward pass")
