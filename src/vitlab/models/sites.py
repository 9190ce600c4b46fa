"""Sites: the modules of a model that have a name of their own, and one way to stand around what is called there.

A wrapper takes the place of a call: it is handed the call and its arguments, and what it returns is what the model goes
on with. So one may look on (attention maps), count (costs), do the work in another way (gradient checkpointing), or put
something else in its place.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from torch import nn

from vitlab.models.vit import ViT

Call = Callable[..., Any]
Wrapper = Callable[..., Any]  # the call that it stands around, and the call's arguments -> what the call would return


def sites(model: ViT) -> dict[str, nn.Module]:
    """By its path each child of the model, each block, and each child of a block: `blocks.3.attn`."""
    named = {path: module for path, module in model.named_children() if path != "blocks"}
    for index, block in enumerate(model.blocks):
        named[f"blocks.{index}"] = block
        named |= {f"blocks.{index}.{path}": module for path, module in block.named_children()}
    return named


def wrap(module: nn.Module, wrapper: Wrapper, method: str = "forward") -> Callable[[], None]:
    """Have `wrapper` stand around a module's method from now on; what is returned ends that, the last wrapper first."""
    own, call = vars(module).get(method), getattr(module, method)
    setattr(module, method, partial(wrapper, call))

    def unwrap() -> None:
        if own is None:
            delattr(module, method)
        else:
            setattr(module, method, own)

    return unwrap


@contextmanager
def wrapped(wrappers: Iterable[tuple[nn.Module, Wrapper]]) -> Iterator[None]:
    """Have wrappers stand around modules while the block runs, whatever happens in it."""
    with ExitStack() as ending:
        for module, wrapper in wrappers:
            ending.callback(wrap(module, wrapper))
        yield
