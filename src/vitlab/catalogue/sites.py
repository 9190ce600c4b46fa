"""The activations of a model by name, with their shapes: `vitlab list sites MODEL`."""

import re
from collections import defaultdict
from collections.abc import Iterator

from vitlab.checkpoints.trained import load
from vitlab.interpret.activations import shapes
from vitlab.models.spec import ViTSpec, preset
from vitlab.names import is_model

COLUMNS = ("site", "shape")
_BLOCK = re.compile(r"^blocks\.\d+")


def rows(name: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Of a model by its name, a run or a checkpoint: every site and its shape for one image, [1, ...]; of what all
    blocks have alike once, `blocks.*.attn`.
    """
    found = shapes(_spec(name))
    of_pattern: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    for site, shape in found.items():
        of_pattern[_pattern(site)].add(shape)
    called = {site: _pattern(site) if len(of_pattern[_pattern(site)]) == 1 else site for site in found}
    yield from {called[site]: shape for site, shape in found.items()}.items()


def _pattern(site: str) -> str:
    return _BLOCK.sub("blocks.*", site)


def _spec(name: str) -> ViTSpec:
    return preset(name) if is_model(name) else load(name).model.spec
