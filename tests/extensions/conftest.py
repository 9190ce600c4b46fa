"""Components of a user's own, in a temporary folder and nowhere else."""

import sys

import pytest

from tests.cli.conftest import vitlab
from tests.extensions.toys import TOYS
from tests.train.conftest import TINY, records_of
from vitlab.base.spec import from_dict
from vitlab.recipes import changed
from vitlab.train.spec import RunSpec

__all__ = ["records_of", "vitlab"]

MASKED = {"task": {"name": "toys_of_ours.blanks", "hidden": 0.25}, "model.cls_token": True, "optim.ema": 0.9}
MEASURED = {"evaluators": [{"name": "scores", "split": "val", "when": "along"}, "scores", "toys_of_ours.spread"]}


@pytest.fixture
def ours(tmp_path, monkeypatch, trusting_all):
    """A folder on the path with a task, an evaluator and an executor."""
    package = tmp_path / "own" / "toys_of_ours"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for name, text in TOYS.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path / "own")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "own"))
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "toys_of_ours"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def spec_of(ours):
    """`spec_of(seed=1)`: a run of twelve steps that learns to fill blanks, and measures spread at its end."""
    return lambda **more: changed(from_dict(RunSpec, TINY), {**MASKED, **MEASURED, **more})
