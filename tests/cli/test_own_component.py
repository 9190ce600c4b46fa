"""A component of a user's own: one file in a folder of theirs, and nothing else, is trained, inspected and listed."""

import json
import sys
from pathlib import Path

import pytest
import torch

import vitlab as package
from vitlab.interpret.attention import attention_maps

TOY = '''"""Attention by nearness: softmax(-|q - k|²), a toy."""

from dataclasses import dataclass

from vitlab.nn.attention._base import Attention, AttentionSpec


class Nearness(Attention):
    def __init__(self, sharpness):
        super().__init__()
        self.sharpness = sharpness

    def forward(self, q, k, v, bias=None, keys=None):
        return self.weights(q, k, bias) @ v

    def weights(self, q, k, bias=None):
        distance = (q[..., :, None, :] - k[..., None, :, :]).square().sum(-1)
        logits = -self.sharpness * distance
        return (logits if bias is None else logits + bias).softmax(-1)


@dataclass(frozen=True)
class Spec(AttentionSpec):
    """`sharpness`: how much nearness counts."""

    sharpness: float = 1.0

    def build(self, dims):
        return Nearness(self.sharpness)
'''
PATH = "toys_of_mine.nearness"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The dotted path of a component that stands in a temporary folder."""
    folder = tmp_path / "own" / "toys_of_mine"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "nearness.py").write_text(TOY)
    monkeypatch.syspath_prepend(tmp_path / "own")
    for name in [name for name in sys.modules if name.partition(".")[0] == "toys_of_mine"]:
        monkeypatch.delitem(sys.modules, name)
    return PATH


@pytest.mark.slow
def test_it_is_trained_inspected_and_listed(vitlab, toy, tiny, tmp_path):
    run = tmp_path / "run"
    answer = vitlab(
        *("train", "digits", *tiny, "--set", f"model.attention={toy}", "--set", "model.attention.sharpness=0.5"),
        *("--set", "model.pos_embed=relative_bias", "--out", run, "--json"),
    )
    assert answer.code == 0, answer.err
    model = package.load(run)
    assert model.spec.attention.name == toy
    assert model.spec.attention.sharpness == 0.5

    maps = attention_maps(model, torch.rand(3, 1, 8, 8))
    assert maps.shape[:3] == (2, 3, 2)
    torch.testing.assert_close(maps.sum(-1), torch.ones(maps.shape[:-1]))

    shown = json.loads(vitlab("show", "r0_vit", "--set", f"attention={toy}", "--json").out)
    assert shown["spec"]["attention"] == {"name": toy, "sharpness": 1.0}

    listed = vitlab("list", toy)
    assert listed.code == 0, listed.err
    for words in (toy, "Attention by nearness: softmax(-|q - k|²), a toy.", "sharpness"):
        assert words in listed.out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("toys_of_mine.nearnes", "toys_of_mine.nearnes"),
        ("no_such_package.attention", "no_such_package"),
        ("json.decoder", "no class Spec"),
    ],
)
def test_a_path_that_leads_to_no_component_is_told(name, said, vitlab, toy):
    for words in (("list", name), ("show", "r0_vit", "--set", f"attention={name}")):
        answer = vitlab(*words)
        assert answer.code == 2
        assert said in answer.err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file"), [("nearness_here", "nearness_here.py"), ("parts/near.py", "parts/near.py")])
def test_a_file_in_the_current_folder_is_trained_and_used_from_there(vitlab, tiny, tmp_path, monkeypatch, name, file):
    monkeypatch.chdir(tmp_path)
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(TOY)
    answer = vitlab("train", "digits", *tiny, "--set", f"model.attention={name}", "--out", "run")
    assert answer.code == 0, answer.err
    del sys.modules[name]  # as in a process that has not read the file yet
    assert vitlab("evaluate", "run", "--device", "cpu").code == 0
    assert package.load("run").spec.attention.name == name
    del sys.modules[name]
    (tmp_path / file).unlink()
    answer = vitlab("evaluate", "run", "--device", "cpu")
    assert answer.code == 2
    assert file in answer.err


@pytest.mark.slow
def test_the_workers_of_a_study_find_it_too(vitlab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nearness_there.py").write_text(TOY)
    design = {"name": "one_at_a_time", "factors": {"model.attention": ["softmax", "nearness_there"]}}
    (tmp_path / "mine.json").write_text(
        json.dumps({"question": "Nearness?", "base": "digits_small", "design": design, "verdicts": False})
    )
    words = ("study", "mine.json", "--seeds", 2, "--jobs", 2, "--no-stack", "--device", "cpu", "--precision", "fp32")
    words += ("--steps", 4, "--set", "optim.schedule.warmup_steps=1", "--out", "out", "--json")
    refused = vitlab(*words)
    assert refused.code == 2
    assert "attention=nearness_there is code" in refused.err
    answer = vitlab(*words, "--trust")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["study"]["missing"] == []
