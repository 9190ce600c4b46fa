import os
import re
import signal

import pytest

import vitlab.recipes as recipes
from tests.train.conftest import TINY
from vitlab.base.spec import from_dict
from vitlab.train import run as running
from vitlab.train.choices import Wishes
from vitlab.train.loop import Loop
from vitlab.train.spec import RunSpec


@pytest.fixture(autouse=True)
def _tiny_and_unmeasured(monkeypatch):
    real, wishes = (
        running.train,
        Wishes(device="cpu", precision="fp32", kernel="explicit", threads=1),
    )
    monkeypatch.setattr(recipes, "recipe", lambda name: from_dict(RunSpec, TINY))
    monkeypatch.setattr(running, "train", lambda *arguments, **named: real(*arguments, wishes=wishes, **named))


def test_it_trains_and_reports(vitlab, tmp_path):
    answer = vitlab("demo", "--out", tmp_path / "demo")
    assert (answer.code, answer.err) == (0, "")
    assert re.search(r"test accuracy \d+\.\d\d % on 360 digits never trained on", answer.out)
    assert (tmp_path / "demo/report.html").exists()


@pytest.mark.slow
def test_it_can_be_stopped_and_gone_on_with(vitlab, tmp_path, monkeypatch):
    real = Loop.step

    def stopping(loop):
        if loop.state.step == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        real(loop)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "step", stopping)
        answer = vitlab("demo", "--out", tmp_path / "demo")
    assert answer.code == 143
    assert f"vitlab demo --out {tmp_path}/demo --resume" in answer.out
    assert vitlab("demo", "--out", tmp_path / "demo").code == 2
    assert vitlab("demo", "--out", tmp_path / "demo", "--resume").code == 0
