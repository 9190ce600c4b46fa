"""Runs that are the same training though their settings differ: a setting that does nothing where it stands.

Attention inside a mixer that has none, stochastic depth of a single block, the first rate of a warm-up that is none:
a comparison of two such cells would only measure noise. What two runs do is not looked up in a table of rules; it is
computed, from the same weights and the same chances. Only an operation of augmentation says itself what it does not
do: a small chance looks like none in any few pictures. Components of somebody's own are not tried: a copy may be meant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vitlab.augment.ops._base import OpSpec
from vitlab.base.differences import differences
from vitlab.base.spec import to_dict
from vitlab.learner import build_learner
from vitlab.models.cost import Cost
from vitlab.optim.schedule._base import ScheduleSpec
from vitlab.rng import sample_keys
from vitlab.train.spec import RunSpec

_IMAGES = 4
_BLOCKS = 2  # of a model that is tried: all further ones are like these
_STEPS, _WARMUPS = 200, 10  # a schedule's least length where the run's own is not known: steps, times its warm-up
_RATES = 100_000  # that are compared at most
_OF_WEIGHTS = ("optim.weight_decay", "optim.decay_on", "optim.layer_decay", "optim.backbone_lr")
_CAN_BE_TRIED = ("model", "task", "augment", "optim.schedule", *_OF_WEIGHTS)


class Named(NamedTuple):
    """A run with what it is called, and what its model costs."""

    name: str
    spec: RunSpec
    cost: Cost


def same_training(runs: Sequence[Named]) -> Iterator[tuple[str, str, list[str]]]:
    """Pairs of names whose runs are one training, with the settings that differ and change nothing."""
    settings = cache(lambda place: to_dict(runs[place].spec))
    known = cache(lambda place: _known(runs[place]))
    shape = cache(lambda place: _shape(runs[place].spec))
    rates = cache(lambda place: _rates(*shape(place)))
    made = cache(lambda place: _tried(runs[place].spec))
    candidates = [place for place, run in enumerate(runs) if _of_vitlab(run.spec)]
    for one, other in combinations(candidates, 2):
        changed = _changed(settings(one), settings(other))
        if not (changed and all(map(_can_be_tried, changed)) and known(one) == known(other)):
            continue
        same_rates = shape(one) == shape(other) or rates(one) == rates(other)
        if same_rates and _equal(made(one), made(other)):  # what takes the longest comes last
            yield runs[one].name, runs[other].name, changed


def _changed(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The settings in which two runs differ."""
    return list(differences(ours, theirs) | differences(theirs, ours))


def _can_be_tried(path: str) -> bool:
    return any(path == part or path.startswith(f"{part}.") for part in _CAN_BE_TRIED)


def _known(run: Named) -> tuple[Any, ...]:
    """What two runs of one training have alike, as far as is known without trying: cost, depth and pictures."""
    return run.cost.num_params, run.cost.flops, run.spec.model.depth, _at_work(run.spec.augment)


def _at_work(ops: Sequence[OpSpec]) -> list[dict[str, Any]]:
    """The settings of augmentation that change pictures."""
    return [{name: value for name, value in to_dict(op).items() if name not in op.unused} for op in ops if not op.idle]


def _of_vitlab(spec: RunSpec) -> bool:
    """Whether all its parts come with vitlab."""
    parts = (*spec.model.parts(), spec.task, spec.optim.schedule)
    return all(part.shipped for part in parts)


def _shape(spec: RunSpec) -> tuple[ScheduleSpec, float, int, float]:
    """Schedule, rate, steps and steps an epoch, which decide all rates of a training."""
    schedule = spec.optim.schedule
    steps = spec.planned_steps() or max(_STEPS, _WARMUPS * schedule.warmup_steps)
    per_epoch = spec.planned_steps_per_epoch() or steps / (spec.epochs or _WARMUPS)
    return schedule, spec.optim.lr, steps, per_epoch


def _rates(schedule: ScheduleSpec, lr: float, steps: int, per_epoch: float) -> list[float]:
    """The learning rates of a training of this shape."""
    return [schedule.lr(lr, step, steps, per_epoch) for step in range(0, steps, -(-steps // _RATES))]


@torch.no_grad()
def _tried(spec: RunSpec) -> dict[str, Tensor]:
    """What a run's function makes of a few made-up images in training, all its weights, and how each is trained."""
    model = replace(spec.model, depth=min(spec.model.depth, _BLOCKS))
    learner = build_learner(model, spec.task, seed=0).double().train()
    chances = torch.Generator().manual_seed(0)
    images = torch.randn(_IMAGES, model.in_chans, *model.img_size, generator=chances, dtype=torch.float64)
    targets = torch.eye(model.num_classes, dtype=torch.float64)[torch.arange(_IMAGES) % model.num_classes]
    keys = sample_keys(torch.tensor([0]), torch.arange(_IMAGES))[0]
    for tensor in learner.parameters():  # drawn anew: many begin at zero, and would hide what they multiply
        tensor.add_(torch.randn(tensor.shape, generator=chances, dtype=torch.float64), alpha=0.1)
    scores = learner.scores(images, targets, keys, keys)
    groups = spec.optim.groups(learner.kinds(), model.depth)
    ways = {name: torch.tensor([group.lr_scale, group.weight_decay]) for group in groups for name in group.names}
    return {"objective": scores.objective, **dict(learner.named_parameters()), "ways": torch.stack([*ways.values()])}


def _equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two functions agree up to rounding, and have the same weights to begin with."""
    if {name: tensor.shape for name, tensor in one.items()} != {name: tensor.shape for name, tensor in other.items()}:
        return False
    return all(torch.allclose(one[name], other[name], rtol=1e-9, atol=1e-12) for name in one)
