import io

import pytest
import torch
from rich.console import Console

from vitlab.base.spec import with_settings
from vitlab.recipes import recipe
from vitlab.train.machine import autotune
from vitlab.train.machine.autotune import TOO_SHORT
from vitlab.train.machine.choices import Choices, Overrides

OVERRIDES = Overrides(device="cpu", threads=1)
FOUND = [Choices(precision="fp32"), Choices(precision="bf16")]


@pytest.fixture
def race(tmp_path, monkeypatch):
    """A race whose times are given: seconds of (fp32, bf16) steps; how often it was held is counted."""
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(autotune, "candidates", lambda overrides, rule, runs: FOUND)
    tiny = {"model.embed_dim": 16, "model.depth": 1, "model.num_heads": 2}
    spec = with_settings(recipe("digits"), {**tiny, "epochs": None, "steps": 10_000})
    images = spec.data.load()
    held = []

    def hold(fp32, bf16, first=1.0, spec=spec, console=None):
        times = {torch.float32: fp32, torch.bfloat16: bf16}

        def seconds(loop):
            new = not any(loop is other for other in held)
            held.append(loop)
            return times[loop.state.weights.groups[0].working.dtype] * (first if new else 1)

        monkeypatch.setattr(autotune, "_seconds", seconds)
        return autotune.choose(OVERRIDES, [spec], images, torch.arange(100), console).precision

    hold.held, hold.spec = held, spec
    return hold


def test_the_clearly_faster_candidate_wins(race):
    assert race(fp32=1.0, bf16=0.5) == "bf16"


@pytest.mark.parametrize(("steps", "rounds"), [(39, 0), (40, 1), (59, 1), (60, 2), (100, 4), (9999, 5)])
def test_all_trials_take_a_tenth_of_the_training_at_most(race, steps, rounds):
    """Each candidate takes a first step and then one a round; two candidates may take so many of 20 steps each."""
    chosen = race(fp32=1.0, bf16=0.5, spec=with_settings(race.spec, {"steps": steps}))
    assert chosen == ("bf16" if rounds else "fp32")
    assert len(race.held) == (len(FOUND) * (1 + rounds) if rounds else 0)


def test_a_first_step_that_compiles_for_long_counts(race):
    """Of 200 steps each candidate may have ten: with a first that takes as long as nine there is one round."""
    short = with_settings(race.spec, {"steps": 200})
    assert race(fp32=1.0, bf16=0.5, first=9.5, spec=short) == "fp32"
    assert len(race.held) == 2
    assert race(fp32=1.0, bf16=0.5, first=9.0, spec=short) == "bf16"  # what was not measured is not remembered


def test_what_is_measured_is_said_and_why_nothing_is(race):
    for steps, said in ((10, TOO_SHORT), (9999, "measuring which of 2 ways to train is the fastest here …")):
        screen = Console(file=io.StringIO(), width=200)
        race(fp32=1.0, bf16=0.5, spec=with_settings(race.spec, {"steps": steps}), console=screen)
        assert screen.file.getvalue().splitlines()[-1] == said


def test_a_tie_goes_to_the_rule(race):
    assert race(fp32=1.0, bf16=0.97) == "fp32"


def test_the_winner_is_remembered_so_that_noise_cannot_turn_it(race):
    assert race(fp32=1.0, bf16=0.5) == "bf16"
    steps = len(race.held)
    assert race(fp32=0.5, bf16=1.0) == "bf16"
    assert len(race.held) == steps
    assert race(fp32=0.5, bf16=1.0, spec=with_settings(race.spec, {"seed": 5})) == "bf16"
    assert race(fp32=0.5, bf16=1.0, spec=with_settings(race.spec, {"model.depth": 2})) == "fp32"


def test_a_damaged_memory_is_no_memory(race, tmp_path):
    race(fp32=1.0, bf16=0.5)
    (remembered,) = (tmp_path / "choices").iterdir()
    remembered.write_text("{")
    assert race(fp32=0.5, bf16=1.0) == "fp32"


def test_no_race_where_everything_was_wished(race, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(autotune, "_race", None)
    overrides = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
    images = race.spec.data.load()
    assert autotune.choose(overrides, [race.spec], images, torch.arange(100)).kernel == "explicit"


def test_who_wants_the_same_bits_gets_no_race(race, monkeypatch):
    """Times differ from machine to machine and from day to day."""
    monkeypatch.setattr(autotune, "_race", None)
    overrides = Overrides(device="cpu", threads=1, deterministic=True)
    chosen = autotune.choose(overrides, [race.spec], race.spec.data.load(), torch.arange(100))
    assert (chosen.precision, chosen.kernel, chosen.deterministic) == ("fp32", "explicit", True)


def test_a_race_trains_nothing_that_is_kept(race):
    race(fp32=1.0, bf16=0.5)
    assert all(loop.spec.batch_size <= race.spec.batch_size for loop in race.held)
    assert len(race.held) == len(FOUND) * (1 + autotune.ROUNDS)
