"""Without a source a run begins with what its seed draws."""

import torch

from vitlab.models.vit import build
from vitlab.train.start import scratch


def test_everything_begins_as_drawn(tiny_spec):
    drawn = build(tiny_spec(), seed=1).state_dict()
    beginning = scratch.Spec().begin(tiny_spec(), drawn)
    assert beginning.anew == ()
    assert beginning.tensors.keys() == drawn.keys()
    assert all(torch.equal(beginning.tensors[name], drawn[name]) for name in drawn)


def test_there_is_nothing_to_look_at():
    assert scratch.Spec().resolved() == scratch.Spec()
    assert not scratch.Spec().from_source
