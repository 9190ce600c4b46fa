"""`import vitlab`, and each of its four words."""

import subprocess
import sys

import pytest
import torch

import vitlab
from tests.reading import read_json
from tests.train.conftest import TINY
from vitlab import api
from vitlab.base.errors import SpecError
from vitlab.base.spec import from_dict
from vitlab.nn.attention import linear
from vitlab.recipes import changed
from vitlab.train import launch as running
from vitlab.train.machine.choices import Overrides
from vitlab.train.spec import RunSpec


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch):
    """One thread, single precision: nothing is measured."""
    real = running.train

    def train(*arguments, **named):
        return real(
            *arguments,
            **named | {"overrides": Overrides(device="cpu", precision="fp32", kernel="explicit", threads=1)},
        )

    monkeypatch.setattr(running, "train", train)


def test_importing_it_imports_no_torch():
    program = "import sys, vitlab; assert vitlab.__version__; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_is_offered_is_there():
    assert all(callable(getattr(vitlab, name)) for name in vitlab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'traim'"):
        vitlab.traim  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize("first", ["vitlab.create", "import vitlab.train.spec, vitlab.report.run"])
def test_train_and_report_are_functions_whatever_came_first(first):
    """They are packages too, and importing one binds its name on `vitlab`."""
    program = f"import vitlab\n{first}\nimport vitlab.train.launch as running, vitlab.report.page as page\n"
    for verb in ("train", "report"):
        program += f"try:\n    vitlab.{verb}()\nexcept TypeError as error:\n    assert 'missing' in str(error), error\n"
    program += "assert running.train and page.run_page"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_create():
    model = vitlab.create("vit_tiny_patch16_224", attention="linear", depth=2, img_size=32, num_classes=7)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 7)
    assert model.spec.attention.name == "linear"
    by_spec = vitlab.create("vit_tiny_patch16_224", attention=linear.Spec(eps=1e-3), depth=2, img_size=32)
    assert by_spec.spec.attention.eps == 1e-3


def test_create_shares_the_weights_of_a_seed():
    one, same, other = (vitlab.create("r0_tomvit", seed=seed, depth=1).head.weight for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_create_refuses_what_cannot_be():
    with pytest.raises(SpecError, match="attention"):
        vitlab.create("vit_tiny_patch16_224", atention="linear")


def test_train_load_report(tmp_path):
    spec = from_dict(RunSpec, TINY)
    (result,) = vitlab.train(spec, tmp_path / "run", **{"optim.lr": 1e-2, "steps": 3})
    assert result == read_json(tmp_path / "run/result.json")
    assert read_json(tmp_path / "run/spec.json")["spec"]["optim"]["lr"] == 1e-2
    model = vitlab.load(tmp_path / "run")
    assert model(torch.zeros(1, 1, 8, 8)).shape == (1, 10)
    assert vitlab.report(tmp_path / "run").read_text().lstrip().lower().startswith("<!doctype html>")
    assert vitlab.train(spec, tmp_path / "run", resume=True, **{"optim.lr": 1e-2, "steps": 3}) == [result]


@pytest.mark.slow
def test_train_seeds(tmp_path):
    spec = changed(from_dict(RunSpec, TINY), {"steps": 2})
    results = vitlab.train(spec, tmp_path, seeds=[4, 7], checkpoints=running.CheckpointPolicy(steps=1))
    assert [result["status"] for result in results] == ["finished", "finished"]
    assert [read_json(tmp_path / f"seed-{seed}/spec.json")["spec"]["seed"] for seed in (4, 7)] == [4, 7]
    assert len(list(tmp_path.glob("seed-4/checkpoint/*"))) == 2


def test_train_a_recipe_by_name(tmp_path):
    settings = {"steps": 1, "epochs": None, "model.depth": 1}
    vitlab.train("digits", tmp_path / "run", **settings)
    assert read_json(tmp_path / "run/spec.json")["recipe"] == "digits"
    assert api.train("digits", tmp_path / "run", resume=True, **settings)[0]["status"] == "finished"
