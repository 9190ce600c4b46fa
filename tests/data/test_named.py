from pathlib import Path

import pytest

from vitlab.base.errors import DataError
from vitlab.base.spec import from_dict
from vitlab.data.named import settings_of
from vitlab.data.sets._base import DataSpec


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VITLAB_DATA", str(tmp_path / "sets"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("digits", {"name": "digits"}),
        ("hub:org/pets", {"name": "hub", "repo": "org/pets"}),
        ("folder:pets", {"name": "folder", "path": "pets"}),
        ("parquet:some/pets", {"name": "parquet", "path": "some/pets"}),
        ("somewhere/pets", {"name": "folder", "path": "somewhere/pets"}),
        ("my_package.my_set", {"name": "my_package.my_set"}),
    ],
)
def test_what_texts_mean(text: str, settings: dict[str, str]):
    assert settings_of(text) == settings
    if "my_package" not in text:
        assert from_dict(DataSpec, settings).name == settings["name"]


@pytest.mark.parametrize("inside", ["train-00000-of-00001.parquet", "data/train-00000-of-00001.parquet"])
def test_a_path_is_what_it_holds(here: Path, inside: str):
    (here / "pets").mkdir()
    assert settings_of("pets") == settings_of("./pets") | {"path": "pets"} == {"name": "folder", "path": "pets"}
    file = here / "pets" / inside
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"")
    assert settings_of("pets") == {"name": "parquet", "path": "pets"}
    (here / "sets/birds").mkdir(parents=True)
    assert settings_of("birds") == {"name": "folder", "path": "birds"}  # where data sets lie


def test_a_name_goes_before_a_folder(here: Path):
    (here / "digits").mkdir()
    assert settings_of("digits") == {"name": "digits"}
    assert settings_of("./digits") == {"name": "folder", "path": "./digits"}


def test_a_file_is_neither_run_nor_a_set(here: Path):
    (here / "script.py").write_text("raise SystemExit")
    with pytest.raises(DataError, match=r"script\.py is not a folder"):
        from_dict(DataSpec, settings_of("script.py")).load()


def test_a_slip_is_told_what_is_near():
    with pytest.raises(DataError, match="unknown data 'cifar1O'; did you mean cifar10 or cifar100"):
        settings_of("cifar1O")
    with pytest.raises(DataError, match=r"legal: .*digits.*folder:….*hub:…"):
        settings_of("zzz")


@pytest.mark.parametrize(
    ("text", "shape"), [("hub", "hub:ORG/NAME"), ("folder:", "folder:PATH"), ("parquet", "parquet:PATH")]
)
def test_what_stands_after_the_colon_must_not_be_missing(text: str, shape: str):
    with pytest.raises(DataError, match=f"--data {text}: expected {shape}"):
        settings_of(text)
