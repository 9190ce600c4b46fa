"""Modules of somebody's own, by what a setting may call them:

    my_package.my_attention    a dotted name: a module that Python can import
    my_attention               a bare name: my_attention.py, or the package my_attention, in the current folder
    parts/my_attention.py      a path: absolute, or relative to the current folder

None is imported that is not trusted (`vitlab.base.trust`). A module from a file is known to Python by that same text,
and so are the classes that it defines: a record that names one is read again by whoever stands in the same folder.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder, all_suffixes
from pathlib import Path, PurePath
from types import ModuleType

from vitlab.base import trust
from vitlab.base.errors import MissingModule, SpecError


def is_path(name: str) -> bool:
    """Whether a name is a file's: it ends in .py, or names a folder."""
    return name.endswith(".py") or "/" in name


def file_of(name: str) -> Path | None:
    """The file that a path or a bare name stands for; None if there is none, or no file can be called so."""
    places = (name,) if is_path(name) else (f"{name}.py", f"{name}/__init__.py")
    return next((Path(place) for place in places if os.path.isfile(place)), None)


def foreign_module(name: str, called: str, setting: str = "") -> ModuleType:
    """The module that a `setting` names; `called` is what a message calls it. Raises SpecError, which says what was
    looked for, and Untrusted before anything of it is run.
    """
    try:
        return _module(name, called, setting)
    except SpecError:
        raise
    except ImportError as error:
        raise SpecError(f"{called}: {error}; a dotted name must be an importable module") from error
    except Exception as error:  # somebody else's module raises what it likes
        raise SpecError(f"{called}: the module cannot be imported: {type(error).__name__}: {error}") from error


def _module(name: str, called: str, setting: str) -> ModuleType:
    if not is_path(name) and "." in name:
        if name.startswith("."):
            raise ModuleNotFoundError("a relative name")
        return _dotted(name, called, setting)
    file = file_of(name)
    if file is None:
        raise MissingModule(
            f"{called}: there is no file {Path(name).absolute()}; paths are relative to the current folder"
        )
    return _from_file(PurePath(name).as_posix(), file, called, setting)


def _dotted(name: str, called: str, setting: str) -> ModuleType:
    """The module of a dotted name; what is imported already runs nothing any more, and ours is as trusted as we are."""
    with _current_folder_last():
        files = [] if name.startswith("vitlab.") else _files_of(name)
        if name not in sys.modules or trust.is_allowed(name, setting):
            trust.check(name, files, called, setting)
        with trust.own_bytecode(files):
            return importlib.import_module(name)


@contextmanager
def _current_folder_last() -> Iterator[None]:
    """While the block runs, what lies in the current folder can be imported, after everything else. At other times it
    cannot: libraries try to import others that need not be there.
    """
    if "" in sys.path:  # an interpreter that is typed into
        yield
        return
    sys.path.append("")
    try:
        yield
    finally:
        sys.path.remove("")


def _files_of(name: str) -> list[Path]:
    """The files that to import a dotted name would run, found without importing any: of a package in the current
    folder all of it, of another one those on the way.
    """
    files: list[Path] = []
    first, *inner = name.split(".")
    try:
        found = importlib.util.find_spec(first)
    except ValueError:  # it is imported already, from nowhere
        return files
    while found is not None:
        if found.has_location and found.origin:
            files.append(Path(found.origin))
            if len(files) == 1 and files[0].absolute().is_relative_to(Path.cwd()):
                return _whole(files[0])
        if not inner or found.submodule_search_locations is None:
            return files
        found = PathFinder.find_spec(f"{found.name}.{inner.pop(0)}", found.submodule_search_locations)
    return files


def _whole(file: Path) -> list[Path]:
    """A module's file; of a package all that can be imported of it."""
    if file.stem != "__init__":
        return [file]
    inside = (path for path in file.parent.rglob("*") if path.parent.name != "__pycache__" and not path.is_dir())
    return sorted(path for path in inside if path.name.endswith(tuple(all_suffixes())))


def _from_file(name: str, file: Path, called: str, setting: str) -> ModuleType:
    """The module of a file, imported once."""
    known, files = sys.modules.get(name), _whole(file)
    if known is not None and _file(known) == file.resolve():
        if trust.is_allowed(name, setting):
            trust.check(name, files, called, setting)  # so that it is remembered
        return known
    if known is not None and not is_path(name):
        raise SpecError(f"{called}: another module of this name is in use; write the path, ./{file.as_posix()}")
    spec = importlib.util.spec_from_file_location(name, file.absolute())
    if spec is None or spec.loader is None:
        raise SpecError(f"{called}: a module's file ends in .py")
    trust.check(name, files, called, setting)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        with _current_folder_last(), trust.own_bytecode(files):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _file(module: ModuleType) -> Path | None:
    """Where a module was read from; None of one that is built in."""
    place = getattr(module, "__file__", None)
    return Path(place).resolve() if place else None
