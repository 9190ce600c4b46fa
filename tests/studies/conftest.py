"""Studies as their files describe them, planned, or trained for a few steps."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from vitlab import api
from vitlab.study.files import read_study_spec
from vitlab.study.outcome import Outcome
from vitlab.study.plan import Plan, plan
from vitlab.train.machine.choices import Overrides


@pytest.fixture(scope="session")
def planned() -> Callable[..., Plan]:
    """`planned("positions", "digits")`: the plan of a function of a study."""
    return cache(lambda name, function="study": plan(read_study_spec(f"{name}:{function}")))


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Outcome]:
    """`trained("positions")`: what comes of a study's digits version with two seeds of three steps."""

    def run(name: str, function: str = "digits") -> Outcome:
        study = read_study_spec(f"{name}:{function}")
        schedule = replace(study.base.optim.schedule, warmup_steps=1)
        base = replace(study.base, steps=3, batch_size=8, optim=replace(study.base.optim, schedule=schedule))
        small = replace(study, base=base, num_seeds=2, tune_seeds=1, verdicts=False)
        overrides = Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)
        found = api.study(small, tmp_path / "study", jobs=1, stack=False, overrides=overrides)
        assert (tmp_path / "study" / "study.json").exists()
        return found

    return run
