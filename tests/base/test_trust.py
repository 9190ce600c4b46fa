"""Code of others: what was typed runs, what a file names does not, until somebody says so."""

import os
import subprocess
import sys

import pytest

from vitlab.base import trust
from vitlab.base.errors import SpecError, Untrusted
from vitlab.base.foreign import foreign_module
from vitlab.base.spec import from_dict
from vitlab.models.spec import ViTSpec

LOUD = "from pathlib import Path\nPath('it-ran').touch()\nvalue = {value}\n"


@pytest.fixture(autouse=True)
def here(empty_folder, monkeypatch):
    """The current folder, before the libraries."""
    monkeypatch.syspath_prepend(empty_folder)
    return empty_folder


def write(path, value=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LOUD.format(value=value))


def another_process():
    """Forget what this one has typed and imported; the environment and the user's folder stay."""
    trust._typed.clear()
    for name in [name for name in sys.modules if "theirs" in name]:
        del sys.modules[name]


def ran(here):
    ran = (here / "it-ran").exists()
    (here / "it-ran").unlink(missing_ok=True)
    return ran


PLACES = pytest.mark.parametrize(
    ("name", "file"),
    [
        ("theirs", "theirs.py"),
        ("theirs", "theirs/__init__.py"),
        ("./theirs.py", "theirs.py"),
        ("parts/theirs.py", "parts/theirs.py"),
        ("theirs_in.part", "theirs_in/part.py"),
        ("theirs_in.part", "theirs_in/__init__.py"),  # runs, though it has no part
        ("theirs.part", "theirs.py"),  # runs, though it is no package
    ],
)


@PLACES
def test_what_a_file_names_is_refused_before_anything_of_it_runs(name, file, here):
    write(here / file)
    with pytest.raises(Untrusted, match=rf"attention={name} is code, {here / file}, which is not known to be yours"):
        from_dict(ViTSpec, {"attention": name})
    assert not ran(here)


@PLACES
def test_what_was_typed_runs_here_and_is_known_from_then_on(name, file, here):
    write(here / file)
    trust.typed({"model.attention": [{"name": name}]})
    with pytest.raises(SpecError, match=r"no class Spec|importable module"):
        from_dict(ViTSpec, {"attention": name})
    assert ran(here)
    another_process()
    with pytest.raises(SpecError, match=r"no class Spec|importable module"):
        from_dict(ViTSpec, {"attention": name})
    assert ran(here)


@pytest.mark.parametrize(
    "typed",
    [
        {"data": "theirs"},  # a name for another setting
        {"weights": "theirs"},
        {"data": {"name": "folder", "classes": ["theirs"]}},
        {"model.mlp": "theirs"},
        {"model.attention": {"name": "softmax", "note": "theirs"}},
        "theirs",
    ],
)
def test_a_name_is_trusted_where_it_was_typed_and_nowhere_else(typed, here):
    write(here / "theirs.py")
    trust.typed(typed)
    with pytest.raises(Untrusted, match=r"attention=theirs is code"):
        from_dict(ViTSpec, {"attention": "theirs"})
    assert not ran(here)


def test_an_entry_of_a_list_is_trusted_by_the_lists_name(here):
    write(here / "theirs.py")
    trust.typed({"augment": ["flip", {"name": "theirs"}]})
    assert trust.is_allowed("theirs", trust.setting_of("augment.1"))
    assert not trust.is_allowed("theirs", trust.setting_of("preprocess.1"))


def test_it_is_known_by_the_users_folder_and_by_the_environment(here, monkeypatch):
    write(here / "theirs.py")
    trust.typed({"part": "theirs"})
    foreign_module("theirs", "part", "part")
    kept = os.environ["VITLAB_TRUSTED"]
    for environment, state in (("", os.environ["VITLAB_STATE"]), (kept, str(here / "no such folder"))):
        another_process()
        monkeypatch.setenv("VITLAB_TRUSTED", environment)
        monkeypatch.setenv("VITLAB_STATE", state)
        assert foreign_module("theirs", "part").value == 1


def test_what_has_changed_is_refused_until_it_is_typed_or_allowed_again(here):
    write(here / "theirs.py")
    trust.typed({"part": "theirs"})
    foreign_module("theirs", "part", "part")
    another_process()
    write(here / "theirs.py", value=2)
    with pytest.raises(Untrusted, match=r"theirs\.py, which has changed since it was trusted; .* --trust"):
        foreign_module("theirs", "part")
    with trust.trusting():
        assert foreign_module("theirs", "part").value == 2
    another_process()
    assert foreign_module("theirs", "part").value == 2


def test_every_file_of_a_package_belongs_to_what_is_trusted(here):
    write(here / "theirs" / "__init__.py")
    write(here / "theirs" / "inside" / "more.py")
    trust.typed({"part": "theirs"})
    foreign_module("theirs", "part", "part")
    another_process()
    write(here / "theirs" / "inside" / "more.py", value=2)
    with pytest.raises(Untrusted, match="has changed"):
        foreign_module("theirs", "part")


def test_a_package_is_the_same_by_all_of_its_names(here):
    """A record has the name of the module that the class stands in."""
    (here / "theirs").mkdir()
    (here / "theirs" / "__init__.py").write_text("from .core import value\n")
    (here / "theirs" / "core.py").write_text("value = 1\n")
    (here / "theirs" / "extra.py").write_text("")
    trust.typed({"part": "theirs"})
    foreign_module("theirs", "part", "part")
    another_process()
    assert foreign_module("theirs.core", "part").value == 1
    another_process()
    (here / "theirs" / "extra.py").write_text("changed = True\n")
    for name in ("theirs", "theirs.core"):
        with pytest.raises(Untrusted, match="has changed"):
            foreign_module(name, "part")


@pytest.mark.parametrize("file", ["core/__init__.pyc", "core.abi3.so", "more.pyc"])
def test_whatever_python_could_import_of_a_package_belongs_to_it(here, file):
    write(here / "theirs" / "__init__.py")
    write(here / "theirs" / "core.py")
    trust.typed({"part": "theirs"})
    foreign_module("theirs", "part", "part")
    another_process()
    (here / "theirs" / file).parent.mkdir(exist_ok=True)
    (here / "theirs" / file).write_bytes(b"anything")
    with pytest.raises(Untrusted, match="has changed"):
        foreign_module("theirs", "part")


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_module_that_is_no_file_is_refused(here, kind):
    write(here / "theirs" / "__init__.py")
    if kind == "pipe":
        os.mkfifo(here / "theirs" / "more.py")
    else:
        (here / "theirs" / "more.py").symlink_to("/dev/zero")
    with pytest.raises(SpecError, match=r"more\.py is not a file"):
        from_dict(ViTSpec, {"attention": "theirs"})


def test_what_says_where_something_lies_names_no_module(here):
    write(here / "theirs" / "__init__.py")
    trust.typed({"data": "theirs", "data.path": "theirs"}, {"start": {"path": "theirs"}}, {"data": {"repo": "theirs"}})
    with pytest.raises(Untrusted):
        foreign_module("theirs", "data", "data")
    trust.typed({"data": {"name": "theirs"}})
    assert foreign_module("theirs", "data", "data").value == 1


def test_what_was_trusted_may_move(here):
    write(here / "theirs.py")
    trust.typed({"part": "theirs"})
    foreign_module("theirs", "part", "part")
    another_process()
    write(here / "elsewhere" / "theirs.py")
    assert foreign_module("elsewhere/theirs.py", "part").value == 1


def test_a_name_that_is_only_a_part_of_what_was_typed_is_not_typed(here):
    write(here / "theirs.py")
    trust.typed("theirs:digits", "mytheirs", {"theirs": 1})
    with pytest.raises(Untrusted):
        foreign_module("theirs", "part")


@pytest.mark.parametrize("how", ["theirs", "theirs_in.part"])
def test_a_compiled_file_beside_a_module_does_not_stand_for_it(how, here):
    """Python takes it for the module's if their times and sizes agree, whatever it does."""
    file = here / ("theirs.py" if how == "theirs" else "theirs_in/part.py")
    write(file, value=1)
    trust.typed(how)
    foreign_module(how, "part")
    another_process()
    write(file, value=6)
    stat = file.stat()
    subprocess.run([sys.executable, "-c", f"import {how}"], env={"PATH": os.environ["PATH"]}, check=True, cwd=here)
    assert list(here.rglob("__pycache__/*.pyc")), "Python did not compile it"
    write(file, value=1)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert foreign_module(how, "part").value == 1


def test_what_comes_with_vitlab_or_python_needs_no_trust():
    assert from_dict(ViTSpec, {"attention": "vitlab.nn.attention.linear"}).attention.name == "linear"
    with pytest.raises(SpecError, match="no class Spec"):
        from_dict(ViTSpec, {"attention": "os.path"})


def test_nothing_that_is_written_by_whoever_has_no_home(here, monkeypatch):
    monkeypatch.delenv("VITLAB_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    write(here / "theirs.py")
    trust.typed("theirs")
    assert foreign_module("theirs", "part").value == 1
    assert trust.folder().parent == type(here)(os.devnull)
