"""The command line as a person meets it: words in; exit code, standard output and standard error out."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from vitlab import api
from vitlab.cli.app import main

TINY = (  # a run of a second: D 16, depth 2, nothing measured
    *("--device", "cpu", "--precision", "fp32", "--kernel", "explicit", "--threads", "1", "--save-steps", "3"),
    *("--set", "model.embed_dim=16", "--set", "model.depth=2", "--set", "model.num_heads=2"),
    *("--set", "epochs=null", "--set", "steps=8", "--set", "batch_size=16"),
)


class Answer(NamedTuple):
    """What a command line ended with."""

    code: int
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def vitlab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`vitlab("list", "models")`: the verb in this process, through the same door as the installed command."""

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["vitlab", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "300")
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        out, err = capsys.readouterr()
        return Answer(code if isinstance(code, int) else 0, out, err)

    return call


@pytest.fixture(scope="session")
def tiny() -> tuple[str, ...]:
    """Options for `vitlab train digits` that make it tiny."""
    return TINY


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run, to be read only."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vitlab", "train", "digits", *TINY, "--out", str(folder), "--json"])
        with pytest.raises(SystemExit) as caught:
            main()
    assert not caught.value.code
    return folder


@pytest.fixture(scope="session")
def exported(finished, tmp_path_factory):
    """A model in timm's format: somebody else's folder."""
    out = tmp_path_factory.mktemp("exported") / "timm"
    api.export(finished, out, "timm")
    return out
