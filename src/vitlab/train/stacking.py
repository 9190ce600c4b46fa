"""Stacking: which runs can be trained at once, those of one structure.

A stack has one model function, one batch size and one length. What only says which numbers a run puts into them may be
its own: the seed and with it the data's order, the initial weights, the augmentation, the learning rate with its
schedule, the weight decay.
"""

import itertools
import json
from collections.abc import Sequence
from typing import NamedTuple

from vitlab.base.differences import without
from vitlab.base.errors import SpecError
from vitlab.base.spec import to_dict
from vitlab.train.spec import RunSpec

OWN = ("seed", "start", "augment", "model.init", "optim.lr", "optim.weight_decay", "optim.schedule")


class Section(NamedTuple):
    """Neighbours in a stack that differ in their seed only."""

    rows: slice  # of everything that has a run axis
    spec: RunSpec  # the first one's


def structure(spec: RunSpec) -> str:
    """What runs must have in common to be stacked; equal structures, equal texts."""
    # beside a backbone's own rate, `optim.lr` decides which parameters form a group
    own = [name for name in OWN if name != "optim.lr" or spec.optim.backbone_lr is None]
    return json.dumps(without(to_dict(spec), own), sort_keys=True)


def sections(specs: Sequence[RunSpec]) -> list[Section]:
    """A stack's sections in their order. Raises SpecError for runs that cannot be stacked."""
    if not specs:
        raise SpecError("no run to train")
    if len({structure(spec) for spec in specs}) > 1:
        raise SpecError(f"runs that are trained at once may differ in {', '.join(OWN)} only")
    stack: list[Section] = []
    for _, group in itertools.groupby(specs, lambda spec: without(to_dict(spec), ["seed"])):
        members, start = list(group), stack[-1].rows.stop if stack else 0
        stack.append(Section(slice(start, start + len(members)), members[0]))
    return stack
