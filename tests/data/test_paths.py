from pathlib import Path

import pytest

from vitlab.base.errors import DataError
from vitlab.data.paths import find, local_folder, locate


def test_a_set_is_looked_for_beside_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("VITLAB_DATA", raising=False)
    (tmp_path / "shared/data/pets").mkdir(parents=True)
    (tmp_path / "work/data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    assert local_folder("pets") == Path("../shared/data/pets")
    (tmp_path / "work/data/pets").mkdir()
    assert local_folder("pets") == Path("data/pets")
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path / "elsewhere"))
    assert local_folder("pets") is None


def test_a_path_is_followed_from_here_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "sets/pets").mkdir(parents=True)
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path / "sets"))
    monkeypatch.chdir(tmp_path)
    assert find("pets") == locate("pets") == tmp_path / "sets/pets"
    (tmp_path / "pets").mkdir()
    assert find("pets") == Path("pets")
    assert find(str(tmp_path / "sets")) == tmp_path / "sets"
    assert find("birds") is None


def test_a_home_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "pets").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find("~/pets") == tmp_path / "pets"


def test_what_is_not_there_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path / "sets"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"there is no folder pets in {tmp_path}, {tmp_path / 'sets'}"):
        locate("pets")
    (tmp_path / "pets").write_text("")
    with pytest.raises(DataError, match="pets is not a folder"):
        locate("pets")
