import pytest

from vitlab.base.errors import SpecError
from vitlab.base.identity import spec_id
from vitlab.base.spec import from_dict, to_dict
from vitlab.train.spec import OptimSpec, RunSpec


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": 1.0, "steps": 12}, ("epochs=1.0", "steps=12")),
        ({"steps": None}, ("epochs=None", "steps=None")),
        ({"steps": 0}, ("steps=0",)),
        ({"batch_size": -1}, ("batch_size=-1",)),
        ({"evaluate_every": 0}, ("evaluate_every=0.0",)),
        ({"val_fraction": 1.0}, ("val_fraction=1.0",)),
        ({"val_fraction": 0.0, "weights": "best"}, ("weights=best", "val_fraction=0")),
        ({"model.num_classes": 11}, ("model.num_classes=11", "data=digits", "10")),
        ({"model.in_chans": 3}, ("model.in_chans=3", "data=digits", "1")),
        ({"model.img_size": 16}, ("model.img_size=16 × 16", "data=digits", "8 × 8")),
        ({"seed": 2**63}, ("seed=9223372036854775808",)),
        ({"val_seed": -1}, ("val_seed=-1",)),
        ({"augment": ["mix", "crop"]}, ("crop", "mix")),
        ({"optim.optimizer.beta1": 1.5}, ("optim.optimizer.beta1=1.5",)),
        ({"optim.optimizer.eps": 0}, ("optim.optimizer.eps=0.0",)),
        ({"optim.optimizer": {"name": "sgd", "momentum": 7}}, ("optim.optimizer.momentum=7.0",)),
        ({"model.norm.eps": -1}, ("norm.eps=-1.0",)),
        ({"model.pos_embed.temperature": 0}, ("pos_embed.temperature=0.0",)),
        ({"model.head": {"name": "mlp", "hidden": 0}}, ("head.hidden=0",)),
        ({"model.layer_scale": -1}, ("layer_scale=-1.0",)),
        ({"optim.lr": 0}, ("optim.lr=0",)),
        ({"optim.backbone_lr": -1e-3}, ("optim.backbone_lr=-0.001", "null")),
        ({"optim.layer_decay": 0}, ("optim.layer_decay=0",)),
        ({"optim.layer_decay": 1.5}, ("optim.layer_decay=1.5",)),
        ({"optim.weight_decay": -1}, ("optim.weight_decay=-1",)),
        ({"optim.clip_norm": 0}, ("optim.clip_norm=0",)),
        ({"optim.ema": 1}, ("optim.ema=1",)),
    ],
)
def test_what_cannot_be_is_refused_by_name(tiny_run, settings, words):
    with pytest.raises(SpecError) as caught:
        tiny_run(settings)
    assert all(word in str(caught.value) for word in words)


def test_round_trip_and_id(tiny_run, everything_random):
    spec = tiny_run(everything_random)
    again = from_dict(RunSpec, to_dict(spec))
    assert again == spec
    assert spec_id(again) == spec_id(spec) != spec_id(tiny_run(everything_random, seed=1))


def test_defaults_of_the_optimiser():
    """What a recipe that says nothing gets: AdamW, kernels only, no clipping, no average."""
    spec = OptimSpec()
    assert (spec.optimizer.name, spec.decay_on, spec.clip_norm, spec.ema) == ("adamw", "kernels", None, None)


@pytest.mark.parametrize(
    ("length", "steps"),
    [
        ({"steps": 12}, 12),
        ({"steps": None, "epochs": 4}, 11),  # 4 · 2.6 = 10.4, rounded up to whole steps
        ({"steps": None, "epochs": 5}, 13),  # 5 · 2.6 is 13, whatever a computer makes of it
        ({"steps": None, "epochs": 0.1}, 1),
    ],
)
def test_how_many_steps_a_run_has(tiny_run, length, steps):
    assert tiny_run(length).total_steps(2.6) == steps


@pytest.mark.parametrize("length", [{"steps": 10**18}, {"steps": 2**62}, {"epochs": 1e30, "steps": None}])
def test_a_training_that_never_ends_does_not_begin(tiny_run, length):
    with pytest.raises(SpecError, match=r"(steps|epochs)=.*: more images than can be counted \(2\^62\)"):
        tiny_run(length).total_steps(10.0)
