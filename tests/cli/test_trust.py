"""Code that files name: it runs if it was typed, if it is as it was when it was trusted, and under --trust."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.test_own_component import TOY
from tests.reading import read_json
from vitlab.base import trust

THEIRS = "from pathlib import Path\nPath('it-ran').touch()\n" + TOY.replace('"""', "'''")
REFUSED = "is code, {}, which is not known to be yours; look at it, and allow it with --trust"


@pytest.fixture
def here(empty_folder):
    """The current folder, with somebody's code in it."""
    (empty_folder / "theirs.py").write_text(THEIRS)
    return empty_folder


def another_process(monkeypatch):
    """A command that is typed later: nothing was typed in it yet."""
    for name in [name for name in sys.modules if name.startswith("theirs")]:
        del sys.modules[name]
    monkeypatch.setattr(trust, "_typed", set())
    monkeypatch.setattr(trust, "_all_allowed", False)


def another_user(monkeypatch, here):
    """Somebody to whom the folder was given."""
    another_process(monkeypatch)
    monkeypatch.setenv("VITLAB_STATE", str(here / "state of another"))
    monkeypatch.setenv("VITLAB_TRUSTED", "")
    (here / "it-ran").unlink(missing_ok=True)


@pytest.fixture
def run(vitlab, tiny, here):
    """A run with that code, which was typed."""
    answer = vitlab("train", "digits", *tiny, "--set", "model.attention=theirs", "--out", "run")
    assert answer.code == 0, answer.err
    return here / "run"


def verbs():
    return {
        "evaluate": ("evaluate", "run", "--device", "cpu"),
        "predict": ("predict", "run", "a.png"),
        "train again": ("train", "run/spec.json", "--out", "again"),
        "resume": ("train", "run/spec.json", "--out", "run", "--resume"),
        "init": ("train", "digits", "--init", "run", "--out", "again"),
        "study": ("study", "study.json", "--dry-run"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("verb", verbs())
def test_a_file_of_another_runs_nothing_until_it_is_trusted(verb, vitlab, run, here, monkeypatch):
    spec = read_json(run / "spec.json")["spec"]
    study = {"question": "?", "base": spec, "design": {"name": "one_at_a_time", "factors": {"model.depth": [2, 1]}}}
    (here / "study.json").write_text(json.dumps(study))
    another_user(monkeypatch, here)
    words = verbs()[verb]
    answer = vitlab(*words)
    if verb == "init":  # takes its tensors, and nothing else
        assert "does not fit this model" in answer.err or answer.code == 0
    else:
        assert answer.code == 2
        assert REFUSED.format(here / "theirs.py") in answer.err
        assert len([line for line in answer.err.splitlines() if not line.endswith(" …")]) == 1
    assert not (here / "it-ran").exists()


@pytest.mark.slow
def test_one_s_own_run_goes_on_until_its_code_is_another(vitlab, tiny, run, here, monkeypatch):
    (here / "run" / "result.json").unlink()
    for words in (("train", "run/spec.json", *tiny[:8], "--out", "run", "--resume"), verbs()["evaluate"]):
        another_process(monkeypatch)
        assert vitlab(*words).code == 0
    assert vitlab("report", "run").code == vitlab("show", "run").code == 0
    another_process(monkeypatch)
    (here / "theirs.py").write_text(THEIRS + "# changed\n")
    answer = vitlab(*verbs()["evaluate"])
    assert answer.code == 2
    assert "which has changed since it was trusted" in answer.err
    assert vitlab(*verbs()["evaluate"], "--trust").code == 0
    another_process(monkeypatch)
    assert vitlab(*verbs()["evaluate"]).code == 0


@pytest.mark.slow
def test_whoever_was_given_a_run_may_trust_it(vitlab, run, here, monkeypatch):
    another_user(monkeypatch, here)
    assert vitlab(*verbs()["evaluate"], "--trust").code == 0
    assert (here / "it-ran").exists()


@pytest.mark.parametrize("start", [["-m", "vitlab"], ["-c", "from vitlab.cli.app import run; run()"]])
def test_what_lies_in_the_current_folder_is_no_library(start, tmp_path):
    """Neither in place of one that there is, nor of one that another would use if it were there."""
    for name in ("rich", "torch", "typer", "json", "numpy", "opt_einsum", "pynvml", "cython", "uarray", "numexpr"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path\nPath('it-ran').touch()\nraise SystemExit(7)\n")
    command = [sys.executable, *(["-P"] if start[0] == "-c" else []), *start, "list", "systems", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "it-ran").exists()
