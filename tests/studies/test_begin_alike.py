"""Which parameters begin equal in every two cells of the shipped studies, of one seed, and why the others do not."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch

from tests.studies.test_shipped import NAMES, ON_DIGITS
from vitlab.learner import build_learner
from vitlab.nn.pool import mean as mean_pool
from vitlab.nn.pos_embed import learned
from vitlab.study.files import read_study_spec
from vitlab.study.plan import plan


def beginnings(name):
    """By cell: its settings, and its initial weights for seed 0."""
    planned = plan(read_study_spec(f"{name}:{ON_DIGITS.get(name, 'digits')}"))
    specs = {cell.cell.name: cell.candidates[0].spec for cell in planned.cells}
    return specs, {
        cell: dict(build_learner(spec.model, spec.task, seed=0).named_parameters()) for cell, spec in specs.items()
    }


def why_not(parameter, one, other, ours, theirs, layers):
    """Why a parameter that both cells have begins otherwise; None without a reason. `layers`: the weights of both
    cells that stand beside it.
    """
    if ours.model.init != theirs.model.init:
        return "another initialisation"
    if one.shape != other.shape:
        patches = {spec.model.dims().num_patches for spec in (ours, theirs)}
        if "pos_embed" in parameter and len(patches) == 1 and one.shape[-1] == other.shape[-1]:
            (count,) = patches  # prefix tokens come first
            same = torch.equal(one[..., -count:, :], other[..., -count:, :])
            return "other prefix tokens, whose rows stand apart" if same else None
        return "another shape"
    if parameter.endswith(".bias") and layers[0].shape != layers[1].shape:
        return "a bias whose bounds follow from the width of its layer"
    parts = ("patch_embed", "attention", "mixer", "mlp", "pool", "head", "pos_embed")
    differing = [part for part in parts if getattr(ours.model, part) != getattr(theirs.model, part)]
    return f"another {differing[0]}" if differing else None


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_cells_have_in_common_begins_equal(name):
    specs, weights = beginnings(name)
    listed: dict[str, set[str]] = {}
    for one, other in combinations(specs, 2):
        for parameter in weights[one].keys() & weights[other].keys():
            ours, theirs = weights[one][parameter], weights[other][parameter]
            if ours.shape == theirs.shape and torch.equal(ours, theirs):
                listed.setdefault("equal", set()).add(parameter)
                continue
            layers = [weights[cell].get(parameter.replace(".bias", ".weight"), ours) for cell in (one, other)]
            reason = why_not(parameter, ours, theirs, specs[one], specs[other], layers)
            assert reason is not None, f"{one} and {other}: {parameter} begins otherwise, for no reason"
            listed.setdefault(reason, set()).add(parameter)
    assert listed.get("equal"), f"no two cells have anything in common: {listed}"


def test_the_position_of_a_patch_is_the_same_with_prefix_tokens_and_without():
    base = read_study_spec("registers:digits").base
    mean = replace(base.model, pool=mean_pool.Spec(), pos_embed=learned.Spec())
    tables = {}
    for cls_token, registers in ((False, 0), (True, 0), (True, 4), (True, 8)):
        model = replace(mean, cls_token=cls_token, num_registers=registers)
        tables[cls_token, registers] = dict(build_learner(model, base.task, 0).named_parameters())
    reference = tables[True, 0]["model.pos_embed.weight"]
    for (cls_token, registers), weights in tables.items():
        table = weights["model.pos_embed.weight"]
        assert torch.equal(table[:, registers + cls_token :], reference[:, 1:])
        if cls_token:
            assert torch.equal(table[:, :1], reference[:, :1])
    assert torch.equal(tables[True, 8]["model.reg_token"][:, :4], tables[True, 4]["model.reg_token"])
