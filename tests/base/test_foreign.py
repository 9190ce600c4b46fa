"""Components of one's own, by a bare name and by a path: found where one stands, and told when they are not there."""

import sys

import pytest

from vitlab.base.errors import SpecError
from vitlab.base.foreign import foreign_module
from vitlab.base.spec import from_dict, to_dict
from vitlab.models.spec import ViTSpec

MINE = """
from dataclasses import dataclass
from vitlab.nn.attention._base import AttentionSpec
@dataclass(frozen=True)
class Spec(AttentionSpec):
    gain: float = {gain}
"""


@pytest.fixture(autouse=True)
def here(empty_folder, trusting_all):
    """The current folder, whose modules may run."""
    return empty_folder


def write(path, gain=1.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MINE.format(gain=gain))


def attention(name):
    return from_dict(ViTSpec, {"attention": name}).attention


@pytest.mark.parametrize(
    ("name", "file"),
    [("mine_alone", "mine_alone.py"), ("mine_package", "mine_package/__init__.py"), ("parts/mine.py", "parts/mine.py")],
)
def test_it_is_found_and_its_name_finds_it_again(name, file, here):
    write(here / file, gain=3.0)
    spec = from_dict(ViTSpec, {"attention": name})
    assert (spec.attention.name, spec.attention.gain) == (name, 3.0)
    assert from_dict(ViTSpec, to_dict(spec)) == spec
    assert foreign_module(name, "attention") is sys.modules[name]


def test_a_path_has_one_name_and_may_be_absolute(here):
    write(here / "mine.py")
    assert attention("./mine.py").name == "mine.py"
    assert attention(str(here / "mine.py")).name == str(here / "mine.py")


def test_a_shipped_name_goes_before_a_file_and_the_file_is_a_path(here):
    write(here / "linear.py", gain=7.0)
    assert not hasattr(attention("linear"), "gain")
    assert attention("./linear.py").gain == 7.0


def test_the_same_path_in_another_folder_is_another_file(here, monkeypatch):
    for folder, gain in (("a", 1.0), ("b", 2.0)):
        write(here / folder / "mine.py", gain)
    for folder, gain in (("a", 1.0), ("b", 2.0)):
        monkeypatch.chdir(here / folder)
        assert attention("mine.py").gain == gain


def test_a_bare_name_does_not_take_another_module_s_place(here):
    write(here / "json.py")
    with pytest.raises(SpecError, match=r"attention=json: another module of this name is in use; .* \./json\.py"):
        attention("json")
    assert attention("./json.py").gain == 1.0


def test_what_was_looked_for_is_said(here):
    with pytest.raises(SpecError, match=rf"attention=parts/mine\.py: there is no file {here}/parts/mine\.py"):
        attention("parts/mine.py")
    with pytest.raises(SpecError, match=r"unknown attention 'mine'; .* \(nor is there a mine\.py in the curr"):
        attention("mine")


def test_a_file_that_fails_is_told_and_may_be_mended(here):
    (here / "broken.py").write_text("1 / 0")
    with pytest.raises(SpecError, match="attention=broken: the module cannot be imported: ZeroDivisionError"):
        attention("broken")
    write(here / "broken.py")
    assert attention("broken").gain == 1.0


def test_a_file_of_another_kind_is_told(here):
    (here / "notes").mkdir()
    (here / "notes" / "mine.txt").write_text("")
    with pytest.raises(SpecError, match=r"a module's file ends in \.py"):
        attention("notes/mine.txt")


def test_the_path_stays_as_it_was(here, monkeypatch):
    (here / "parts").mkdir()
    write(here / "parts" / "mine.py")
    for before in (["/a", "/b"], ["", "/a"]):
        monkeypatch.setattr(sys, "path", [*before, *sys.path])
        whole = list(sys.path)
        assert attention("parts.mine").name == "parts.mine"
        assert sys.path == whole
        del sys.modules["parts.mine"], sys.modules["parts"]
