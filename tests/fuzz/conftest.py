"""A corpus of records as training writes them, and verbs that read them, called in this process."""

import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from vitlab.cli.app import main

MACHINE = ("--device", "cpu", "--precision", "fp32")
TINY = (
    *("--set", "model.embed_dim=16", "--set", "model.depth=1", "--set", "model.num_heads=2", "--batch-size", "16"),
    *(*MACHINE, "--kernel", "explicit", "--threads", "1"),
)
BASE = {
    "recipe": "digits_small",
    "model.embed_dim": 16,
    "model.depth": 1,
    "model.num_heads": 2,
    "epochs": None,
    "steps": 4,
    "batch_size": 16,
    "optim.schedule.warmup_steps": 1,
}
STUDIES = {
    "plain": {"design": {"name": "one_at_a_time", "factors": {"model.pos_embed": ["learned", "none"]}}},
    "tuned": {
        "design": {
            "name": "factorial",
            "factors": {"model.pos_embed": ["learned", "none"], "model.mlp": ["gelu", "swiglu"]},
        },
        "tune": {"optim.lr": [0.001, 0.003]},
    },
}
AGAIN = ("--seeds", "2", "--no-verdicts", "--jobs", "1", "--no-stack", *MACHINE)


class Said(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


def vitlab(*words: object) -> Said:
    """A command; whatever it raises, but for its exit, is raised."""
    sys.argv = ["vitlab", *map(str, words)]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
    return Said(code if isinstance(code, int) else 1, out.getvalue(), err.getvalue())


def trained(*words: object) -> None:
    said = vitlab(*words)
    assert said.code == 0, said.err


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`run` has finished, `begun` has not; `plain` and `tuned` are studies, and their questions beside them."""
    folder = tmp_path_factory.getbasetemp().parent / "corpus"  # of all workers of one test run
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            made = tmp_path_factory.mktemp("corpus")
            _make(made)
            made.rename(folder)
    return folder


def _make(folder: Path) -> None:
    argv = sys.argv
    for name, design in STUDIES.items():
        (folder / f"{name}.json").write_text(json.dumps({"question": "Which?", "base": BASE, **design}))
        trained("study", folder / f"{name}.json", *AGAIN, "--out", folder / name)
    trained("train", "digits", *TINY, "--steps", 8, "--save-steps", 4, "--out", folder / "run")
    shutil.copytree(folder / "run", folder / "begun")
    for name in ("result.json", "predictions.npz", "pictures.npz", "pictures_val.npz"):
        (folder / "begun" / name).unlink()
    shutil.rmtree(folder / "begun" / "checkpoint" / "step-00000008")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "picture.png")
    sys.argv = argv


@pytest.fixture
def restore(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The current folder is a copy of the corpus; `restore("run", "plain")` makes these as they were at first."""
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "cache"))
    here = tmp_path / "here"
    shutil.copytree(corpus, here)
    monkeypatch.chdir(here)

    def again(*names: str) -> None:
        for name in names:
            shutil.rmtree(name, ignore_errors=True)
            if (corpus / name).exists():
                shutil.copytree(corpus / name, name)

    return again
