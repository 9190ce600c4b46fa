import json
from pathlib import Path

import pytest

from vitlab.base import kept


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("VITLAB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kept.folder() == tmp_path / "vitlab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert kept.folder() == Path.home() / ".cache" / "vitlab"


def test_a_cache_that_can_be_written_is_not_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path / "new"))
    assert kept.why_nothing() is None


@pytest.mark.parametrize("answer", [[], None, "text"])
def test_what_is_no_answer_is_none(answer: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITLAB_CACHE", str(tmp_path))
    kept.keep_answer("kind", ["question"], {"a": 1})
    (file,) = (tmp_path / "kind").iterdir()
    assert kept.read_answer("kind", ["question"]) == {"a": 1}
    file.write_text(file.read_text().replace('{\n    "a": 1\n  }', json.dumps(answer)))
    assert kept.read_answer("kind", ["question"]) is None
